"""A seeded synthetic southern Jiangsu with its truth: :func:`generate` writes it, :func:`check` measures against it."""

from data.demo.check import check
from data.demo.generate import DemoReport, generate

__all__ = ["DemoReport", "check", "generate"]
