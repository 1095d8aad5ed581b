"""The model and its beam search, against plain readings of what they should do."""

import itertools

import pytest
import torch

from empirical.eigenvalues.decode import log_probability, search
from empirical.eigenvalues.model import Architecture, Transformer
from empirical.eigenvalues.steps import AT_ONCE

SIZES = {"input_vocabulary": 11, "output_vocabulary": 6, "input_length": 4, "output_length": 3}
SIZES |= {"width": 16, "heads": 2, "encoder_layers": 2, "decoder_layers": 2}


def model_of(norm, spread=3.0, **changes):
    """A random model whose answers differ in likelihood, so that no ranking is a matter of rounding."""
    torch.manual_seed(5)
    model = Transformer(Architecture(**(SIZES | changes), norm=norm))
    with torch.no_grad():
        model.output_table.weight *= spread
    return model.eval()


@pytest.fixture(params=["pre", "post"])
def model(request):
    return model_of(request.param)


@pytest.fixture
def matrices():
    return torch.randint(1, 11, (7, 4), generator=torch.Generator().manual_seed(1))


def all_answers(model, matrices):
    """Every answer with its log-probability, most likely first: (answers, per matrix scores)."""
    tokens = range(1, model.sizes.output_vocabulary)
    answers = torch.tensor(list(itertools.product(tokens, repeat=model.sizes.output_length)))
    scores = torch.stack([log_probability(model, row.expand(len(answers), -1), answers) for row in matrices])
    return answers, scores


def beam_by_hand(model, matrix, width):
    """Textbook beam search of one matrix by whole forward passes: {answer: score}."""
    beams = {(): 0.0}
    for place in range(model.sizes.output_length):
        longer = {}
        for tokens, score in beams.items():
            label = torch.tensor([[*tokens, *[1] * (model.sizes.output_length - place)]])
            logits = model(matrix[None], label)[0, place].detach().clone()
            logits[Transformer.START] = -torch.inf
            for token, value in enumerate(logits.log_softmax(-1).tolist()):
                if token != Transformer.START:
                    longer[(*tokens, token)] = score + value
        beams = dict(sorted(longer.items(), key=lambda item: -item[1])[:width])
    return beams


def test_probabilities_of_all_answers_sum_to_one(model, matrices):
    """So that step-by-step scores are those of a distribution, and forward passes are causal."""
    _, scores = all_answers(model, matrices)
    torch.testing.assert_close(scores.exp().sum(1), torch.ones(len(matrices)))


def test_a_token_depends_on_none_after_it(model, matrices):
    labels = torch.tensor([[1, 2, 3]]).expand(len(matrices), -1)
    changed = torch.tensor([[1, 2, 5]]).expand(len(matrices), -1)
    assert torch.equal(model(matrices, labels)[:, :3], model(matrices, changed)[:, :3])
    other = torch.tensor([[1, 4, 3]]).expand(len(matrices), -1)
    assert not torch.allclose(model(matrices, labels)[:, 2], model(matrices, other)[:, 2])


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_beam_search_is_the_textbook_one(model, matrices, width):
    found = search(model, matrices, width)
    for matrix, tokens, scores in zip(matrices, found.tokens, found.scores, strict=True):
        by_hand = beam_by_hand(model, matrix, width)
        assert [tuple(row) for row in tokens.tolist()] == list(by_hand)
        torch.testing.assert_close(scores, torch.tensor(list(by_hand.values())), atol=1e-4, rtol=0)


def test_a_beam_of_everything_is_exhaustive_search(model, matrices):
    answers, scores = all_answers(model, matrices)
    found = search(model, matrices, len(answers))
    order = scores.argsort(dim=1, descending=True)
    assert torch.equal(found.tokens, answers[order])
    torch.testing.assert_close(found.scores, scores.gather(1, order), atol=1e-4, rtol=0)


def test_a_beam_wider_than_there_are_answers_is_filled_up_without_weight(matrices):
    found = search(model_of("pre", output_length=1), matrices, 9)
    assert found.tokens.shape == (7, 9, 1)
    assert torch.isinf(found.scores[:, 5:]).all()
    assert torch.isfinite(found.scores[:, :5]).all()
    assert (found.tokens != Transformer.START).all()


def test_scores_are_the_log_probabilities_of_the_answers(model, matrices):
    found = search(model, matrices, 4)
    for beam in range(4):
        expected = log_probability(model, matrices, found.tokens[:, beam])
        torch.testing.assert_close(found.scores[:, beam], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("norm", "spread"), [("pre", 3.0), ("post", 1.0)])
def test_the_top_of_a_beam_is_likelier_than_the_greedy_answer(matrices, norm, spread):
    """Of two tokens: the greedy beginning is always kept, so that its best end is among the candidates.

    Where both are one answer their scores are one number, but for rounding: beams of one and of three are matrices of
    other sizes, and what of them rounds up depends on the CPU.
    """
    model = model_of(norm, output_length=2, spread=spread)
    greedy, wide = search(model, matrices, 1), search(model, matrices, 3)
    same = (wide.tokens[:, 0] == greedy.tokens[:, 0]).all(1)
    assert (wide.scores[:, 0] > greedy.scores[:, 0])[~same].all()
    assert not same.all()


def test_answers_do_not_depend_on_the_batch(model, matrices):
    together = search(model, matrices, 3)
    alone = [search(model, matrices[i : i + 1], 3) for i in range(len(matrices))]
    assert torch.equal(together.tokens, torch.cat([part.tokens for part in alone]))


def test_beams_share_what_is_encoded(matrices, monkeypatch):
    """Cross-attention sees one set of keys per matrix, whatever the width: nothing is copied 50 times."""
    model = model_of("pre")
    seen = []
    cross = model.decoder[0].cross

    def across(x, pair):
        seen.append((x.shape[1], len(pair[0])))
        return type(cross).across(cross, x, pair)

    monkeypatch.setattr(cross, "across", across)
    search(model, matrices, 50)
    assert seen[-1] == (25, len(matrices))  # 5 * 5 beginnings of two tokens


def test_width_below_one_is_refused(matrices):
    with pytest.raises(ValueError, match="beams = 0 must be at least 1"):
        search(model_of("pre"), matrices, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_transformers_bart_is_the_same_model_with_the_same_beams(matrices, seed):
    """The library's encoder-decoder, given our weights, has our logits and finds our beams.

    The start token is made next to impossible: the library takes it out after the softmax, we before.
    """
    torch.manual_seed(seed)
    transformers = pytest.importorskip("transformers")
    sizes = SIZES | {"input_vocabulary": 11, "output_vocabulary": 11, "output_length": 5}
    ours = Transformer(Architecture(**sizes, norm="post")).eval()
    with torch.no_grad():
        ours.output_table.weight *= 4
        ours.input_table.weight.copy_(ours.output_table.weight)  # BART has one table for both
        ours.bias.normal_()
        ours.bias[Transformer.START] = -50.0
    config = transformers.BartConfig(
        vocab_size=11, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, activation_function="relu", dropout=0.0,
        attention_dropout=0.0, max_position_embeddings=8, scale_embedding=False, decoder_start_token_id=0,
        bos_token_id=None, eos_token_id=None, pad_token_id=None, forced_eos_token_id=None,
    )  # fmt: skip
    theirs = transformers.BartForConditionalGeneration(config).eval()
    theirs.load_state_dict(bart_weights(ours, theirs.state_dict()))
    labels = torch.randint(1, 11, (7, 5))
    before = torch.nn.functional.pad(labels[:, :-1], (1, 0))
    logits = theirs(input_ids=matrices, decoder_input_ids=before, attention_mask=torch.ones_like(matrices)).logits
    torch.testing.assert_close(ours(matrices, labels), logits, atol=1e-5, rtol=1e-5)
    for width in (1, 3, 6):
        found = search(ours, matrices, width)
        written = theirs.generate(
            matrices, attention_mask=torch.ones_like(matrices), num_beams=width, num_return_sequences=width,
            do_sample=False, max_new_tokens=5, suppress_tokens=[0],
        )  # fmt: skip
        assert torch.equal(found.tokens, written[:, 1:].view(7, width, 5)), width


def bart_weights(ours, like):
    """Our parameters under BART's names; its positions start at 2."""
    made = dict(like)
    mine = ours.state_dict()
    for side, table, place, norm in (
        ("encoder", "input_table", "input_place", "encoder_norm"),
        ("decoder", "output_table", "output_place", "decoder_norm"),
    ):
        made[f"model.{side}.embed_tokens.weight"] = mine[f"{table}.weight"]
        positions = torch.zeros_like(like[f"model.{side}.embed_positions.weight"])
        positions[2 : 2 + len(mine[f"{place}.weight"])] = mine[f"{place}.weight"]
        made[f"model.{side}.embed_positions.weight"] = positions
        for kind in ("weight", "bias"):
            made[f"model.{side}.layernorm_embedding.{kind}"] = mine[f"{norm}.{kind}"]
        for layer in range(2):
            parts = {"attention": "self_attn"} | ({"cross": "encoder_attn"} if side == "decoder" else {})
            norms = [*(f"{name}_layer_norm" for name in parts.values()), "final_layer_norm"]
            here, there = f"{side}.{layer}", f"model.{side}.layers.{layer}"
            for kind in ("weight", "bias"):
                for name, other in parts.items():
                    three = mine[f"{here}.{name}.inward.{kind}"].chunk(3)
                    for projection, value in zip("qkv", three, strict=True):
                        made[f"{there}.{other}.{projection}_proj.{kind}"] = value
                    made[f"{there}.{other}.out_proj.{kind}"] = mine[f"{here}.{name}.outward.{kind}"]
                for index, other in enumerate(norms):
                    made[f"{there}.{other}.{kind}"] = mine[f"{here}.norms.{index}.{kind}"]
                made[f"{there}.fc1.{kind}"] = mine[f"{here}.feed.up.{kind}"]
                made[f"{there}.fc2.{kind}"] = mine[f"{here}.feed.down.{kind}"]
    made["final_logits_bias"] = mine["bias"][None]
    made["model.shared.weight"] = made["lm_head.weight"] = mine["output_table.weight"]
    return made


def test_beams_on_a_gpu_stay_within_the_grid_of_attention():
    """A grid has 65,535 rows, and attention of the beams takes one for each."""
    most_beams, most_matrices = AT_ONCE["cuda"]
    assert all(max(min(most_beams // beams, most_matrices), 1) * beams <= 65_535 for beams in range(1, 1001))


def test_the_cache_of_beams_has_the_precision_of_what_is_encoded():
    """bfloat16 under autocast, where float32 would take twice the memory; and the same answers."""
    model = model_of("pre")
    rows = torch.randint(1, 11, (7, 4), generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        (cache,) = {t.dtype for pair in model.empty_cache(model.encode(rows), 3) for t in pair}
        assert cache == torch.bfloat16
        whole = log_probability(model, rows, search(model, rows, 3).tokens[:, 0])
    plain = model.empty_cache(model.encode(rows), 3)
    assert plain[0][0].dtype == torch.float32
    torch.testing.assert_close(whole, search(model, rows, 3).scores[:, 0], atol=0.2, rtol=0.05)
