"""NAME in PyTorch: the twin of graph.rhai, layer for layer and name for name.

    python convwise/fixture.py write convwise/architectures/NAME/reference.py:Net --input 3x64x64 -o NAME_small.json
    convwise arch verify NAME_small --fixture NAME_small.json
"""
from torch import nn


def norm_act(channels, out, kernel=3, stride=1, act=True):
    """Convolution, batch norm and, unless told otherwise, ReLU: the block `blocks/conv`."""
    layers = [nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([nn.ReLU()] if act else []))


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is projected where the shape changes."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = norm_act(channels, out, stride=stride)
        self.conv2 = norm_act(out, out, act=False)
        projected = stride != 1 or channels != out
        self.shortcut = norm_act(channels, out, kernel=1, stride=stride, act=False) if projected else nn.Identity()

    def forward(self, x):
        return (self.conv2(self.conv1(x)) + self.shortcut(x)).relu()


class Net(nn.Module):
    """`NAME_small`; `widths=(32, 64, 128), depth=4` make `NAME_large`."""

    def __init__(self, classes=10, widths=(16, 32, 64), depth=2):
        super().__init__()
        self.stem = norm_act(3, widths[0])
        entering = (widths[0], *widths)
        self.stages = nn.Sequential()
        for i, out in enumerate(widths):
            blocks = [Residual(entering[i] if j == 0 else out, out, 2 if i > 0 and j == 0 else 1) for j in range(depth)]
            self.stages.append(nn.Sequential(*blocks))
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        return self.head(self.stages(self.stem(x)).mean((2, 3)))
