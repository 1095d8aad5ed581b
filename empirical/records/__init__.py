"""Files of records, as people have them."""
