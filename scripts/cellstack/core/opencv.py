"""OpenCV, set up to use the same instructions on any x86-64 processor.

By default OpenCV, and Intel's IPP library that it contains, use the newest instructions of the
processor. Some of them, such as fused multiply-add, round once instead of twice. This changes the
last bits of intensities, which can be enough to move a voxel to another object. Linear filters take
the same time without these instructions.
"""

import cv2

cv2.setUseOptimized(False)  # disables IPP in this thread; for others see parallel.py

__all__ = ["cv2"]
