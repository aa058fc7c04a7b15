"""A 3D U-Net of 590,000 weights; needs PyTorch (CPU), which cellstack itself does not require."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

CHANNELS = (16, 32, 64)  # on the grid, and at steps of two and four voxels
LEVEL_STEP = 4  # sides of the input are multiples of it


class _Convolution(torch.autograd.Function):
    """3 x 3 x 3 convolution of one image.

    On one thread PyTorch computes it and its gradients without oneDNN, four times slower.
    """

    @staticmethod
    def forward(context: Any, x: torch.Tensor, weight: torch.Tensor, bias: Any) -> torch.Tensor:
        context.save_for_backward(x, weight)
        return _convolve(x, weight, bias)

    @staticmethod
    def backward(context: Any, gradient: Any) -> tuple[torch.Tensor | None, ...]:
        x, weight = context.saved_tensors
        gradient = gradient.contiguous()
        of_x = None
        if context.needs_input_grad[0]:
            flipped = weight.flip(2, 3, 4).transpose(0, 1).contiguous()
            of_x = _convolve(gradient, flipped, None)
        padded = functional.pad(x[0], (1,) * 6)
        _, rows, columns = padded.shape[1:]
        right = functional.pad(gradient[0], (0, 2) * 3).flatten(1)
        flat = functional.pad(padded.flatten(1), (0, 2 * (rows * columns + columns + 1)))
        of_weight = torch.empty(3, 3, 3, *weight.shape[:2])
        for z, y, column in torch.cartesian_prod(*[torch.arange(3)] * 3).tolist():
            start = (z * rows + y) * columns + column
            shifted = flat[:, start : start + right.shape[1]]
            torch.mm(right, shifted.t(), out=of_weight[z, y, column])
        return of_x, of_weight.permute(3, 4, 0, 1, 2), gradient.sum((0, 2, 3, 4))


def _convolve(x: torch.Tensor, weight: torch.Tensor, bias: Any) -> torch.Tensor:
    return torch.ops.aten.mkldnn_convolution(x, weight, bias, [1] * 3, [1] * 3, [1] * 3, 1)


class Convolution(nn.Conv3d):
    """3 x 3 x 3 convolution that keeps the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: D102
        return _Convolution.apply(x, self.weight, self.bias)


class Residual(nn.Module):
    """Two convolutions that start as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (Convolution(channels, channels) for _ in range(2))
        nn.init.zeros_(self.second.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: D102
        return functional.relu(x + self.second(functional.relu(self.first(x))))


class Network(nn.Module):
    """Logits of foreground and depth, see scenes.Scene, from the channels of scenes.normalize."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = CHANNELS
        self.enter = nn.Sequential(
            Convolution(2, fine), nn.ReLU(), Convolution(fine, fine), nn.ReLU()
        )
        self.down = nn.Sequential(nn.Conv3d(fine, middle, 2, stride=2), nn.ReLU(), Residual(middle))
        self.bottom = nn.Sequential(
            nn.Conv3d(middle, coarse, 2, stride=2),
            nn.ReLU(),
            Residual(coarse),
            Residual(coarse),
            nn.Conv3d(coarse, middle, 1),
        )
        self.up = nn.Sequential(nn.ReLU(), Residual(middle), nn.Conv3d(middle, fine, 1))
        self.leave = nn.Sequential(nn.ReLU(), Convolution(fine, fine), nn.ReLU())
        self.predict = nn.Conv3d(fine, 2, 1)
        nn.init.normal_(self.predict.weight, std=0.05)
        nn.init.constant_(self.predict.bias, -1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: D102
        fine = self.enter(x)
        middle = self.down(fine)
        summed = (functional.interpolate(self.bottom(middle), scale_factor=2) + middle) / 2**0.5
        summed = (functional.interpolate(self.up(summed), scale_factor=2) + fine) / 2**0.5
        return self.predict(self.leave(summed))
