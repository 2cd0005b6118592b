"""Something done again and again in a thread, beside what a context does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(act: Callable[[threading.Event], None], every: float) -> Iterator[None]:
    """Have `act` called every so many seconds for as long as the context lasts; its argument is set at the end."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(every):
            act(ended)

    thread = threading.Thread(target=repeat, name="meanwhile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
