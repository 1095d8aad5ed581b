"""News summarization: what verification buys when a language model is retrained on its own summaries.

A generator is fine-tuned on a part of the labelled articles and summarizes the rest; verifiers (its own perplexity, a
stronger model's, an oracle, chance) score its summaries; the base model is fine-tuned afresh on the best of each.
`plan` lays out the stages, `empirical.stages` runs what is missing of them.
"""

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # before the hub's library is imported
