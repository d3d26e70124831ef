"""Synthetic number plates, training, export and evaluation of plated's models."""
