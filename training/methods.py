"""The methods that are compared, by the names of their directories."""

TITLES = {
    "conventional": "Conventional VAE",
    "auc_adapted": "AUC-adapted VAE",
    "beta_vae": "β-VAE",
    "autoencoder": "Autoencoder",
    "mean_image": "Mean image",
    "pca": "PCA",
    "loss_adapted": "Loss-adapted VAE",
}
"""What a method is called in tables and figures."""
