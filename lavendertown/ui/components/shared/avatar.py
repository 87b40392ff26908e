"""Draw avatars: initials on a colour derived from the name."""

from __future__ import annotations

import hashlib

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

_COLOURS = ("#6B4FBB", "#2E7D5B", "#B4552D", "#3F6BC0", "#A33C7A", "#7A5B00", "#4A5D7E")
_SIDE = 96


@st.cache_data(show_spinner=False, max_entries=500)
def avatar_image(name: str, initials: str) -> Image.Image:
    """Return a square image with initials; the same name always has the same colour."""
    number = hashlib.sha256(name.encode()).digest()[0]
    image = Image.new("RGB", (_SIDE, _SIDE), _COLOURS[number % len(_COLOURS)])
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(40)
    draw.text((_SIDE / 2, _SIDE / 2), initials, fill="white", font=font, anchor="mm")
    return image
