"""Worker: an epoch of the same VAE in PyTorch. Arguments: see `bench_training`.

The same layers, batches, loss and optimizer; the images are in memory.
"""

import itertools
import sys
import time

import numpy as np
import torch
from measure import NUM_THREADS, serve
from torch import nn
from torch.nn import functional

from awl_vae.models.shapes import feature_maps


class VAE(nn.Module):
    """The layers of `models.networks`, and the loss of `models.vae`."""

    def __init__(self, size, likelihood, latent_dim):
        super().__init__()
        maps = feature_maps((size, size))
        filters = [1, *(f for _, _, f in maps)]
        num_maps = 1 if likelihood == "bernoulli" else 2
        self.likelihood = likelihood
        self.smallest = (maps[-1][2], *maps[-1][:2])
        flat = int(np.prod(self.smallest))
        encoder = []
        for before, after in itertools.pairwise(filters):
            encoder += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        self.encoder = nn.Sequential(*encoder, nn.Flatten())
        self.to_latent = nn.Linear(flat, 2 * latent_dim)
        self.from_latent = nn.Linear(latent_dim, flat)
        decoder = []
        for before, after in itertools.pairwise(filters[:0:-1]):
            decoder += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.ReLU()]
        self.decoder = nn.Sequential(*decoder)
        self.output_maps = nn.ConvTranspose2d(filters[1], num_maps, 4, stride=2, padding=1)

    def forward(self, x):
        """The loss of a batch (N, 1, H, W) in [0, 1]."""
        z_mean, z_log_var = _in_float32(self.to_latent, self.encoder(x)).chunk(2, dim=1)
        z_log_var = z_log_var.clamp(-10, 10)
        z = z_mean + torch.exp(0.5 * z_log_var) * torch.randn_like(z_mean)
        hidden = functional.relu(self.from_latent(z)).view(-1, *self.smallest)
        output = _in_float32(self.output_maps, self.decoder(hidden))
        kl = 0.5 * (torch.exp(z_log_var) - 1 - z_log_var + z_mean**2).sum(1)
        if self.likelihood == "bernoulli":
            bce = functional.binary_cross_entropy_with_logits(output, x, reduction="none")
            return (bce.sum((1, 2, 3)) + kl).mean()
        mean, log_var = output[:, :1], output[:, 1:].clamp(-10, 10)
        mahalanobis = 0.5 * ((mean - x) ** 2 * torch.exp(-log_var)).sum((1, 2, 3))
        log_variance = 0.5 * (np.log(2 * np.pi) + log_var).sum((1, 2, 3))
        return (mahalanobis + log_variance + kl).mean()


def _in_float32(layer, x):
    """The two layers that give means and variances are float32 in ours, too."""
    with torch.autocast("cpu", enabled=False):
        return layer(x.float())


def main(image_size, likelihood, latent_dim, dtype, batch_size, num_images, way):
    torch.set_num_threads(NUM_THREADS)
    torch.manual_seed(1)
    size, batch_size, num_images = int(image_size), int(batch_size), int(num_images)
    images = np.random.RandomState(0).randint(0, 256, (num_images, 1, size, size))
    images = torch.from_numpy(images.astype(np.uint8))
    model = VAE(size, likelihood, int(latent_dim))
    layout = torch.contiguous_format if way == "eager" else torch.channels_last
    model = model.to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, eps=1e-7, fused=True)
    loss_of = torch.compile(model) if way == "compile" else model

    def work():
        start = time.perf_counter()
        for positions in torch.randperm(num_images).split(batch_size):
            x = (images[positions].float() / 255).to(memory_format=layout)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype != "float32"):
                loss = loss_of(x)
            loss.backward()
            optimizer.step()
        return time.perf_counter() - start

    serve(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
