"""Training: pairs, losses and the loop; needs the extra [train]."""
