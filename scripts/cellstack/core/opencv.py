"""OpenCV with the same instructions on any x86-64 processor.

By default OpenCV uses the newest instructions of a processor, and Intel's IPP library, which does
the same. Some of these round once instead of twice: this changes last bits, and a last bit can move
a voxel to another object. Linear filters take the same time without them.
"""

import cv2

cv2.setUseOptimized(False)  # IPP in this thread only, therefore see cellstack.core.parallel

__all__ = ["cv2"]
