"""What is measured on real models: eigenvalue transformers, Llama summarization, p* on one's own records.

Empty so far. Its dependencies (torch, transformers, datasets) are the extra ``empirical``; the rest of the
toolkit is installed and runs without them.
"""
