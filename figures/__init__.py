"""Figures: arrays in, one PNG file out."""
