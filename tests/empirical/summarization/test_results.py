"""The report of folders with planted truths."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import figures
from empirical.summarization.results import report

RATES = (0.125, 0.25, 0.5)
VERIFIERS = ("random1", "random2", "random3", "self", "stronger", "oracle")
GENERATOR = 0.60
PLANTED = {"random": -0.06, "self": 0.05, "stronger": -0.06, "oracle": 0.10}
"""Students minus generator."""
OFFSETS = {"rouge1": 0.0, "rouge2": -0.2, "rougeL": -0.1}
"""Of the kinds of ROUGE, so that none can pass for another."""
FIGURES = ("summarization_rouge", "summarization_p_star")


def write(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pd.DataFrame):
        content.to_parquet(folder / f"{name}.parquet")
    else:
        (folder / name).write_text(json.dumps(content))


def build(
    root, effects, seeds=3, tests=800, pool=1500, noise=0.004, verifiers=VERIFIERS, optional=("full", "full-epoch"),
    failed=(), unscored=0, gates=True, rates=RATES, spread=0.08, article=0.15, noisy=True, level_noise=0.01,
):  # fmt: skip
    """Stage folders as a run leaves them: every arm's ROUGE-1 is the generator's plus its effect and run noise.

    ``oracle`` selects by quality, ``self`` and ``stronger`` by quality with much noise, ``random`` by chance.
    """
    inputs = {}
    rng = np.random.default_rng(5)

    def put(seed, stage, name, content):
        folder = root / f"seed{seed}" / stage
        write(folder, name, content)
        inputs[f"seed{seed}/{stage}"] = folder

    for seed in range(seeds):
        level = GENERATOR + rng.normal(0, level_noise)
        articles = [f"{seed}-{index}" for index in range(pool)]
        cases = pd.Series([f"{seed}-t{index}" for index in range(tests)])
        hard = rng.normal(0, article, tests)
        put(seed, "prepare", "facts.json", {"corpus": {"name": "made"}, "gates": None})
        wrong = rng.random(pool) < 0.25
        for name, ids in (("generator", articles[:500]), ("pool", articles), ("test", cases)):
            more = {"noisy": wrong} if noisy and name == "pool" else {}
            put(seed, "prepare", name, pd.DataFrame({"id": ids} | more))
        quality = rng.beta(4, 3, pool).round(2)  # few values, as ROUGE of short summaries
        own = {kind: np.clip(quality + offset, 0, 1) for kind, offset in OFFSETS.items()}
        put(seed, "generate", "rouge", pd.DataFrame({"id": articles} | own))
        worst = np.argsort(np.argsort(quality, kind="stable"))  # the 40 worst have 8 summaries in common
        told = [f"common {rank % 8}" if rank < 40 else f"summary {rank}" for rank in worst]
        said = pd.DataFrame({"id": articles, "generated": told})
        put(seed, "generate", "rows", said.sample(frac=1, random_state=2))
        put(seed, "generate", "facts.json", {"rows": pool, "capped": 3, "empty": 1, "duplicates": 40, "distinct": 1460})
        if gates:
            gate = {"gate": "distinct outputs", "value": 0.97, "wanted": "> 0.5", "passed": True}
            slot = {"gate": "who is right", "value": 0.95, "wanted": "0.3 to 0.8", "passed": False}
            perfect = {"gate": "ROUGE-1 of perfect content", "value": 70.6, "wanted": None, "passed": None}
            put(seed, "gates", "gates.json", [gate, slot, perfect])

        def evaluate(model, effect, run_noise=noise, examples=500, seed=seed, level=level, hard=hard, cases=cases):
            failure = "loss is not finite" if model in failed else ""
            about = {"steps": 400, "examples": examples, "passes": 6400 / examples, "failure": failure}
            put(seed, f"evaluate-{model}", "about.json", about)
            own = rng.normal(0, spread, len(cases))
            score = np.clip(level + effect + rng.normal(0, run_noise) + hard + own - own.mean(), 0, 1)
            table = pd.DataFrame({"id": cases} | {kind: score + offset for kind, offset in OFFSETS.items()})
            put(
                seed, f"evaluate-{model}", "evaluation", table.sample(frac=1, random_state=len(model))
            )  # order is no promise

        evaluate("generator", 0)
        for model in optional:
            evaluate(model, effects.get(model, 0.0), examples=2000)
        for verifier in verifiers:
            kind = verifier.rstrip("0123456789")
            blur = {"random": 1e3, "oracle": 0.0}.get(kind, 0.3)
            score = quality + rng.normal(0, 1, pool) * blur
            score[:unscored] = np.nan
            order = np.argsort(-np.where(np.isnan(score), -np.inf, score))
            for rate in rates:
                kept = np.isin(np.arange(pool), order[: round(rate * pool)])
                table = pd.DataFrame({"id": articles, "kept": kept, "score": score})
                put(seed, f"select-{verifier}-{rate:g}", "selection", table.sample(frac=1, random_state=1))
                facts = {"kept": int(kept.sum()), "distinct": int(0.9 * kept.sum()), "rouge1": quality[kept].mean()}
                facts |= {"duplicates": 5, "capped": 0, "overlap_with_oracle": 0.4, "mean_length": 7.2, "noisy": 0.25}
                put(seed, f"select-{verifier}-{rate:g}", "facts.json", facts)
                evaluate(f"retrain-{verifier}-{rate:g}", effects.get(kind, 0.0), examples=int(kept.sum()))
    profile = {
        "name": "small", "run": {"seeds": seeds}, "selection": {"rates": list(rates), "random_draws": 3},
        "evaluation": {"correct_at": 0.6, "stemmer": False, "margin": 1.0, "spread": 25.0, "noise": 1.5},
        "data": {"source": "stories"}, "stories": {"curve": []},
        "base": {"name": "made"},
    }  # fmt: skip
    return {"profile": profile, "verifiers": list(verifiers)}, inputs


def made(root, effects, **more):
    """(tables by name, text) of a report on built folders."""
    settings, inputs = build(root / "in", effects, **more)
    (root / "out").mkdir()
    report(settings, inputs, root / "out", {})
    tables = {path.stem: pd.read_csv(path) for path in (root / "out" / "tables").glob("*.csv")}
    return tables, (root / "out" / "report.txt").read_text()


def words_of(text):
    return " ".join(text.split())


MODELS = ("full", "full-epoch", "verifier-stronger")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted")
    return *made(root, PLANTED | {"verifier-stronger": 0.06, "full-epoch": 0.13}, optional=MODELS), root / "out"


def test_planted_truth_is_recovered(planted):
    tables, text, _ = planted
    rows = tables["rows"].set_index("arm")
    for verifier, effect in PLANTED.items():
        for rate in RATES:
            line = rows.loc[f"retrain-{verifier}-{rate:g}"]
            assert line["difference_generator"] == pytest.approx(100 * effect, abs=1)
            assert line["verdict_generator"] == ("better" if effect > 0 else "worse")
            assert line["rouge1_low"] < line["rouge1"] < line["rouge1_high"]
    for kind, offset in OFFSETS.items():
        assert rows.loc["generator", kind] == pytest.approx(100 * (GENERATOR + offset), abs=2)
        assert tables["pool"][kind].mean() == pytest.approx(100 * (4 / 7 + offset), abs=3)
    assert rows.loc["retrain-random-0.25", "models"] == 9
    assert rows.loc["full", "passes"] == pytest.approx(3.2)
    assert np.isnan(rows.loc["retrain-random-0.25", "difference_random"])
    assert rows.loc["retrain-oracle-0.25", "difference_random"] == pytest.approx(16, abs=1)
    assert rows.loc["retrain-oracle-0.25", "above_random"] == 3
    found = tables["findings"].set_index("number")["verdict"].to_dict()
    assert found == {"1": "seen", "2": "seen in part", "3": "seen", "4": "seen", "4b": "not run"}
    lines = tables["contrasts"].set_index(["side", "other", "headline"])
    assert lines.loc[("oracle", "full", True), "reading"] == "seen"
    assert lines.loc[("oracle", "full-epoch", True), ["role", "reading"]].tolist() == ["claim", "opposite"]
    assert text.index("1   random selection is worse") < text.index("Gates") < text.index("In detail")
    order = tables["orders"]
    assert order.loc[order["by"] == "students", "verifier"].tolist()[:2] == ["oracle", "self"]
    assert order.loc[order["by"] == "students", "above_next"].tolist()[:2] == [True, True]
    assert order.loc[order["by"] == "p*", "verifier"].iloc[0] == "oracle"


def test_without_effect_the_report_decides_little(tmp_path):
    """The twin of the planted truth: at most 4 of 30 verdicts (here by t alone, articles being all but alike)."""
    tables, text = made(
        tmp_path, {}, optional=MODELS, pool=400, tests=400, rates=(0.125, 0.5), spread=1e-6, article=1e-6, level_noise=0
    )
    rows = tables["rows"]
    decided = pd.concat([rows["verdict_generator"], rows["verdict_random"]]).dropna()
    assert (decided != "undecided").sum() <= 4
    found = tables["findings"].set_index("number")["verdict"]
    assert set(found[["1", "3"]]) <= {"not seen", "equivalent", "undecided"}
    assert found["4"] in ("undecided", "premise not met")  # a model that summarizes no better proves nothing
    assert ": SEEN" not in text


def test_opposite_effects_are_called_so(tmp_path):
    effects = {"random": 0.06, "self": -0.06, "oracle": -0.06, "stronger": 0.16, "verifier-stronger": 0.06}
    tables, _ = made(tmp_path, effects, optional=MODELS, pool=400, tests=400, rates=(0.5, 0.125))
    found = tables["findings"].set_index("number")["verdict"]
    assert found.to_dict() == {"1": "opposite", "2": "opposite", "3": "opposite", "4": "opposite", "4b": "not run"}


def test_p_star_of_both_readings(planted):
    points = planted[0]["p_star"].set_index(["verifier", "rate", "reading"])
    for draw in ("random1", "random2", "random3"):
        for kind in ("soft", "threshold"):
            assert points.loc[(draw, 0.25, kind), "p_star"] == pytest.approx(0.5, abs=0.05)
    assert points.loc[("oracle", 0.25, "threshold"), "p_star"] == 1.0
    oracle = [points.loc[("oracle", rate, "soft"), "p_star"] for rate in RATES]
    assert oracle == sorted(oracle, reverse=True)
    assert oracle[0] > points.loc[("self", 0.125, "soft"), "p_star"] > 0.52
    rows = planted[0]["rows"].set_index("arm")
    assert rows.loc["retrain-oracle-0.25", "p_star_soft"] == points.loc[("oracle", 0.25, "soft"), "p_star"]
    draws = [points.loc[(f"random{draw}", 0.5, "soft"), "p_star_low"] for draw in (1, 2, 3)]
    assert rows.loc["retrain-random-0.5", "p_star_low_soft"] == pytest.approx(np.mean(draws))
    curve = planted[0]["threshold"]
    assert len(curve) == len(VERIFIERS) * len(RATES) * 19 * 2
    seeds = planted[0]["seeds"].set_index(["arm", "seed"])
    by_seed = seeds.loc["retrain-self-0.25", "p_star_soft"]
    assert by_seed.mean() == pytest.approx(points.loc[("self", 0.25, "soft"), "p_star"], abs=0.005)
    line = rows.loc["retrain-self-0.25"]
    assert (line["p_star_soft_seed_min"], line["p_star_soft_seed_max"]) == (by_seed.min(), by_seed.max())
    soft = points.loc[("self", 0.5, "soft")]
    assert soft["purity"] == pytest.approx(rows.loc["retrain-self-0.5", "kept_rouge1"] / 100)
    assert soft["p_star"] == pytest.approx(soft["phi"] / (soft["phi"] + soft["psi"]))


def test_text_fits_and_says_what_the_tables_say(planted):
    tables, text, folder = planted
    assert max(map(len, text.splitlines())) <= 116
    assert "made-up stories" in text
    assert "news." not in text.replace("English news", "")
    assert text.count("nan") == 0
    for arm in ("generator", "retrain-oracle-0.125"):
        line = tables["rows"].set_index("arm").loc[arm]
        assert f"{line['rouge1']:.1f} [{line['rouge1_low']:.1f}, {line['rouge1_high']:.1f}]" in text
    assert "\nfull, one epoch* " in text
    assert "distinct outputs" in text
    assert re.search(r"who is right +0.95, 0.95, 0.95 +0.3 to 0.8 +failed\n", text)
    assert "Slots are right in 95 % or more" in words_of(text)
    assert f"Students reach {tables['rows']['rouge1'].max():.1f}" not in text  # of a student, not of the full data
    assert "of the 70.6 points that perfect content gets" in words_of(text)
    assert "p < p* on 12 of 12 lines" in text
    assert " nan" not in text.lower()
    body = json.loads((folder / "report.json").read_bytes())
    assert len(body["rows"]) == len(tables["rows"])
    assert body["corpus"] == [{"name": "made"}] * 3
    seeds = tables["seeds"]
    assert len(seeds) == 3 * (4 + len(VERIFIERS) * len(RATES))
    mine = seeds[seeds["arm"] == "retrain-self-0.25"]
    assert mine["minus_generator"].mean() == pytest.approx(
        tables["rows"].set_index("arm").loc["retrain-self-0.25", "difference_generator"]
    )


def test_one_seed_speaks_of_its_models_only(tmp_path):
    tables, text = made(tmp_path, PLANTED, seeds=1, gates=False, pool=400, tests=400)
    rows = tables["rows"].set_index("arm")
    assert rows.loc["retrain-oracle-0.25", "verdict_generator"] == "better"
    assert (rows["high_generator"] - rows["low_generator"]).max() < 3  # unpaired: 4 points
    assert tables["noise"].loc[0, "freedom"] == 6
    assert tables["noise"].loc[0, "spread"] == pytest.approx(100 * np.sqrt(2) * 0.08, rel=0.05)  # of two models' own
    assert "speak of these models only" in text
    assert "the draws of random tell" in words_of(text)
    assert "data stories" in text
    assert max(map(len, text.splitlines())) <= 116
    assert "Gates" not in text


def test_failed_arms_are_gaps(tmp_path):
    failed = ("retrain-self-0.125", "retrain-random2-0.5", "full")
    tables, text = made(tmp_path, PLANTED, failed=failed, pool=400, tests=400)
    rows = tables["rows"].set_index("arm")
    for arm in ("retrain-self-0.125", "retrain-random-0.5", "full"):
        assert np.isnan(rows.loc[arm, ["rouge1", "rouge1_low", "low_generator"]].astype(float)).all()
        assert (rows.loc[arm, "verdict_generator"], rows.loc[arm, "failure"]) == ("failed", "loss is not finite")
    assert rows.loc["retrain-oracle-0.5", "verdict_random"] == "failed"
    assert rows.loc["retrain-self-0.25", "verdict_generator"] == "better"
    lines = tables["contrasts"]
    head = lines[(lines["side"] == "self") & (lines["other"] == "generator") & lines["headline"]].iloc[0]
    assert (head["rates"], head["reading"]) == (2, "seen")
    assert tables["findings"].set_index("number").loc["2", "verdict"] == "seen in part"
    assert "failed: loss is not finite" in text
    assert max(map(len, text.splitlines())) <= 116
    for name in FIGURES:
        assert len(figures.draw(name, tables, tmp_path)) == 2


def test_what_was_not_run_is_left_out(tmp_path):
    """A single draw and no verifiers but the oracle; summaries without a score; no optional model."""
    tables, text = made(
        tmp_path, PLANTED, verifiers=("random1", "oracle"), optional=(), unscored=100, seeds=2, tests=400
    )
    found = tables["findings"].set_index("number")["verdict"].to_dict()
    assert found["3"] == found["4"] == found["4b"] == "not run"
    assert found["2"] == "seen"
    assert "above full" not in text
    assert "\nfull" not in text
    assert "never kept: random1 200, oracle 200 of 3,000." in text
    assert tables["p_star"]["unscored"].eq(200).all()
    for name in FIGURES:
        assert len(figures.draw(name, tables, tmp_path)) == 2


def test_no_verifier_but_one_and_one_seed(tmp_path):
    tables, text = made(tmp_path, PLANTED, verifiers=("oracle",), seeds=1, pool=300)
    assert np.isnan(tables["noise"].loc[0, "points"])
    assert "a single draw of random does not tell" in words_of(text)
    assert tables["rows"].columns.str.endswith("_random").sum() == 0


def test_evaluations_of_other_examples_are_refused(tmp_path):
    settings, inputs = build(tmp_path, {}, seeds=1, verifiers=("oracle",), pool=100)
    path = inputs["seed0/evaluate-full"] / "evaluation.parquet"
    pd.read_parquet(path).assign(id=lambda table: "x" + table["id"]).to_parquet(path)
    with pytest.raises(ValueError, match=r"seed0/evaluate-full: its 800 ids are not the 800 expected; delete"):
        report(settings, inputs, tmp_path, {})


def test_figures_draw(planted, tmp_path):
    tables = planted[0]
    for name in FIGURES:
        assert all(path.stat().st_size > 5_000 for path in figures.draw(name, tables, tmp_path))
    assert figures.caption("summarization_rouge").startswith(
        "Summarization: ROUGE-1 by verifier and rate; bars: 95 % intervals over test"
    )


def test_clean_references_are_a_reading_of_their_own(tmp_path):
    """p* without noisy rows, by hand, and nothing of it where it is not known which are noisy."""
    settings, inputs = build(tmp_path, {}, seeds=2, verifiers=("random1", "self"), pool=300, tests=50, rates=(0.5,))
    for folder in ("clean", "plain"):
        (tmp_path / folder).mkdir()
    report(settings, inputs, tmp_path / "clean", {})
    points = pd.read_csv(tmp_path / "clean/tables/p_star.csv").set_index(["verifier", "reading"])
    assert set(points.loc["self"].index) == {"soft", "threshold", "soft-clean", "threshold-clean"}
    quality, kept = [], []
    for seed in range(2):
        read = lambda stage, name, seed=seed: pd.read_parquet(inputs[f"seed{seed}/{stage}"] / f"{name}.parquet")
        clean = read("prepare", "pool").set_index("id")["noisy"].eq(False)
        ids = clean.index[clean]
        quality.append(read("generate", "rouge").set_index("id")["rouge1"][ids].to_numpy())
        kept.append(read("select-self-0.5", "selection").set_index("id")["kept"][ids].to_numpy())
    s, q = np.concatenate(quality), np.concatenate(kept)
    phi, psi = s[q].sum() / s.sum(), (1 - s[q]).sum() / (1 - s).sum()
    assert points.loc[("self", "soft-clean"), "p_star"] == pytest.approx(phi / (phi + psi))
    assert points.loc[("self", "soft-clean"), "records"] == s.size
    assert abs(points.loc[("self", "soft"), "p_star"] - phi / (phi + psi)) > 1e-4
    text = (tmp_path / "clean/report.txt").read_text()
    assert f"{100 * (1 - s.size / 600):.3g} % of the references are noisy" in words_of(text)
    for seed in range(2):
        path = inputs[f"seed{seed}/prepare"] / "pool.parquet"
        pd.read_parquet(path).drop(columns="noisy").to_parquet(path)
    report(settings, inputs, tmp_path / "plain", {})
    assert set(pd.read_csv(tmp_path / "plain/tables/p_star.csv")["reading"]) == {"soft", "threshold"}
    assert "clean" not in (tmp_path / "plain/report.txt").read_text()


def test_the_commonest_summaries_are_counted_among_what_is_kept(planted):
    """The 40 worst of 1,500 share eight summaries, which the oracle drops and chance does not."""
    tables = planted[0]
    assert tables["pool"]["commonest"].tolist() == pytest.approx([40 / 1500] * 3)
    rows = tables["rows"].set_index("arm")["commonest"]
    assert rows["retrain-oracle-0.5"] == 0
    assert rows["retrain-random-0.5"] == pytest.approx(40 / 1500, abs=0.012)
