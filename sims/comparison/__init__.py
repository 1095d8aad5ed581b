"""Where both roads meet: raw rows become cells, and cells stand beside what theory says of them."""
