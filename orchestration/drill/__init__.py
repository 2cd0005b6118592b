"""The failure drill: breaks a throw-away installation on purpose and looks whether it answers as README promises."""
