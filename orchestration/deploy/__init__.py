"""Where one machine is outgrown: executors, Celery workers, containers, Kubernetes. The definitions stay the same."""
