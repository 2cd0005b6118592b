"""Colours that a chart may ask for by itself. Others come by themselves from the renderer's theme.

Each must be one of those in renderer/src/theme.ts, which knows what they are on a dark page.
"""

ACCENT = "#0b6b94"
RANGE = "#97cbd9"
CATEGORIES = ("#2f6fb3", "#d9822b", "#1c9a8b", "#c94f5d", "#7c5cbf", "#8f9d2c", "#c76aa8")
# For what is no category of its own.
OTHER, NONE = "#8a949e", "#b7c0c9"
