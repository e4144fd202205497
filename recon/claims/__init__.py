"""The papers' claims and what the experiments' rows say of them."""
