"""`pstar features`: from one's own embeddings to an accuracy-against-n curve, and the verdict against the generator."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from empirical.features import LOSSES
from pstar.commands.options import Json, choice
from pstar.commands.output import on_disk, one_thread, show, typed
from theory.errors import InputError


def features(
    data: Annotated[
        Positional[Path],
        arg(
            metavar="X",
            help="Embeddings, a row per point: .npy, .npz, .csv, .parquet, .safetensors or a folder of them.",
        ),
    ],
    labels: Annotated[
        Positional[Path | None], arg(metavar="Y", help="Their true labels, of two kinds; may lie in X instead.")
    ] = None,
    p: Annotated[
        float | None, arg(metavar="FLOAT", help="The generator's error rate. Default: all labels correct.")
    ] = None,
    phi: Annotated[float | None, arg(metavar="FLOAT", help="P(kept | label correct). Default: 1.")] = None,
    psi: Annotated[float | None, arg(metavar="FLOAT", help="P(kept | label wrong). Default: 1.")] = None,
    audit: Annotated[Path | None, arg(metavar="DIR", help="The three from the folder of pstar audit --out.")] = None,
    n: Annotated[tuple[int, ...], arg(metavar="INT", help="Samples to predict for. Default: 20, 50, ... N.")] = (),
    ridge: Annotated[float, arg(help="Penalty, in units of the mean variance of a feature within classes.")] = 0.1,
    loss: Annotated[str, choice(LOSSES), arg(help="Loss of the probe.")] = "squared",
    level: Annotated[float, arg(help="Confidence of the intervals and the verdict.")] = 0.95,
    check: Annotated[bool, arg(help="Measure it as well: probes trained on subsets of the points.")] = False,
    repetitions: Annotated[int, arg(help="Probes behind each measured accuracy.")] = 100,
    label: Annotated[str | None, arg(metavar="NAME", help="Array or column of the labels.")] = None,
    names: Annotated[
        str | None, arg(name="features", metavar="NAME", help="Array of the features, or how their columns begin.")
    ] = None,
    seed: Annotated[int, arg(help="Of the intervals and of --check.")] = 0,
    out: Annotated[Path | None, arg(metavar="DIR", help="Folder for report, JSON, curve and figure.")] = None,
    json: Json = False,
) -> None:
    """How good will a probe on my embeddings be, trained on n verified labels? And does it beat the generator?

    Give embeddings and true labels of a few hundred points. Predicted for a linear probe with intercept, trained on
    what a verifier keeps of n samples whose labels err at rate p; nothing is trained, unless you --check.
    """
    one_thread()
    from empirical.features import files, report
    from empirical.features.curve import learning_curve
    from empirical.features.points import points
    from sims.running.certificates import Maker, claim, movable, write
    from sims.running.fingerprint import fingerprint

    if audit is not None and (p, phi, psi) != (None, None, None):
        raise InputError("--audit goes without --p, --phi and --psi: it has them")
    maker = Maker("features", movable(typed("features")), mark="features.json")
    if out is not None:
        claim(out, maker, inputs=[path for path in (data, labels, audit) if path is not None])
    with on_disk():
        given = files.read(data, labels, label, names)
        rates, notes = (_rates(p, phi, psi), ()) if audit is None else files.read_rates(audit, points(*given).classes)
    curve = learning_curve(
        *given,
        rates=rates,
        n=n or None,
        ridge=ridge,
        loss=loss,
        level=level,
        repetitions=repetitions if check else 0,
        seed=seed,
    )
    curve = replace(curve, notes=(*notes, *curve.notes))
    words, summary = report.text(curve), report.as_json(curve)
    paths: Any = []
    if out is not None:
        with on_disk():
            made = {"program": fingerprint("empirical.features.report", "empirical.features.curve")}
            paths = write(out, maker, report.files(curve, words), made=made)
        summary |= {"written": [str(path) for path in paths]}
    show(summary, json, lambda _: "\n".join([words, *(f"written: {path}" for path in paths)]))


def _rates(p: float | None, phi: float | None, psi: float | None) -> Any:
    from theory.types import Rates

    missing = [f"--{name}" for name, value in (("p", p), ("phi", phi), ("psi", psi)) if value is None]
    if missing and missing not in (["--p", "--phi", "--psi"], ["--phi", "--psi"]):
        raise InputError(
            f"{' and '.join(missing)} missing: a verifier needs all of --p, --phi and --psi; --p alone is a generator "
            "without one"
        )
    return Rates(0.0 if p is None else p, 1.0 if phi is None else phi, 1.0 if psi is None else psi)
