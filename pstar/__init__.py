"""When does training on verified synthetic data help? One import for notebooks and programs.

    import pstar as ps
    problem = ps.Problem(signal=2.0, curation=ps.Rates(p=0.3, phi=0.9, psi=0.2), ridge=0.1)
    ps.predict(problem, alpha=4)

What is given and returned are plain numbers in float64, whatever precision JAX is set to; `theory` and `sims` hold the
functions behind these, which can be differentiated and vectorised. Symbols: theory/README.md; p is the error rate.

A problem
    Problem            population, curation and penalty
    Spectrum           coloured features, as the signal of a problem
    Rates              curation by error rate p, and the verifier's phi and psi
    ClassRates         the same for each of the two classes
    Cosines            curation in the linear setting, by three cosines
    Learned            curation by a linear generator and the verifier's phi and psi
    KeepEasy           as Cosines, with only what the verifier is sure of
    KeepHard           the same, with only what the verifier is not sure of
    Mixture            the same, with a share of real data
    ClassesProblem     population, curation and penalty for K classes
    Confusion          curation of K classes by two tables: who is labelled what, and what is kept

Predicted
    predict            threshold, kept data and trained accuracy of a problem
    predict_table      the same for every line of a table
    predict_classes    threshold p*_K, kept data and trained accuracy for K classes
    solve              the trained classifier alone
    p_star             the error rate below which training on kept data succeeds
    kept_rate          share of the samples that is kept
    purity             share of the kept samples whose label is correct
    worth              how many clean samples a generated one is worth, at finite data

Simulated
    trial              train one classifier on verified synthetic data, and measure it
    sweep              the raw rows of a sweep, computed here or in a result folder
    compare            a sweep beside what theory says of it
    verify             whether every file of a result folder is as it was written

Audited
    audit              p, phi, psi, p*, worth and the decisions from judged records
    audit_counts       the same from the four counts
    audit_verifiers    several verifiers of the same records, compared pair by pair
    confusions         labels beside true classes: which confusions hurt, and what is kept is worth
    budget             what a number of generated samples is worth after the verifier
    cost               whether to verify, or to generate more
    threshold_curve    where to put the threshold on a verifier's score
    soft_reading       an audit by graded quality, each record correct to a degree
    threshold_reading  an audit by graded quality, correct above a threshold

Forecast
    forecast           what training on verified labels will give, from an audit and a pilot of one's own learner

On one's own features
    features           the module of it: estimate(X, y), and learning_curve(X, y), accuracy against n

Results, which print themselves
    Prediction         of predict
    ClassesPrediction  of predict_classes
    Solution           of solve
    Measurement        of trial
    Comparison         of compare: four tables and a summary
    Audit              of audit
    Forecast           of forecast: a table by n, and the learning curve
    Counts             records by correct or wrong, kept or dropped
    Estimate           a value with its interval

Errors
    Error              every error that is explained to a user; anything else is a bug
    InputError         an argument, option or file is refused
    KindError          an object of the wrong kind
    RunError           work that could not be done
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.auditing.binary import Audit as Audit
    from empirical.auditing.binary import audit as audit
    from empirical.auditing.binary import audit_counts as audit_counts
    from empirical.auditing.budget import budget as budget
    from empirical.auditing.budget import cost as cost
    from empirical.auditing.confusion import confusions as confusions
    from empirical.auditing.quality import soft_reading as soft_reading
    from empirical.auditing.quality import threshold_reading as threshold_reading
    from empirical.auditing.rates import Counts as Counts
    from empirical.auditing.rates import Estimate as Estimate
    from empirical.auditing.scores import threshold_curve as threshold_curve
    from empirical.auditing.verifiers import audit_verifiers as audit_verifiers
    from empirical.forecasting.forecast import forecast as forecast
    from empirical.forecasting.sentences import Forecast as Forecast
    from pstar import features as features
    from pstar.predicting import kept_rate as kept_rate
    from pstar.predicting import p_star as p_star
    from pstar.predicting import predict as predict
    from pstar.predicting import predict_classes as predict_classes
    from pstar.predicting import predict_table as predict_table
    from pstar.predicting import purity as purity
    from pstar.predicting import solve as solve
    from pstar.predicting import worth as worth
    from pstar.simulating import compare as compare
    from pstar.simulating import sweep as sweep
    from pstar.simulating import trial as trial
    from pstar.verifying import verify as verify
    from sims.comparison.compare import Comparison as Comparison
    from sims.measure import Measurement as Measurement
    from theory.classes.prediction import ClassesPrediction as ClassesPrediction
    from theory.errors import Error as Error
    from theory.errors import InputError as InputError
    from theory.errors import KindError as KindError
    from theory.errors import RunError as RunError
    from theory.prediction import Prediction as Prediction
    from theory.types import ClassesProblem as ClassesProblem
    from theory.types import ClassRates as ClassRates
    from theory.types import Confusion as Confusion
    from theory.types import Cosines as Cosines
    from theory.types import KeepEasy as KeepEasy
    from theory.types import KeepHard as KeepHard
    from theory.types import Learned as Learned
    from theory.types import Mixture as Mixture
    from theory.types import Problem as Problem
    from theory.types import Rates as Rates
    from theory.types import Solution as Solution
    from theory.types import Spectrum as Spectrum

HOMES = {
    "theory.types": (
        *("Problem", "Spectrum", "Rates", "ClassRates", "Cosines", "Learned", "KeepEasy", "KeepHard", "Mixture"),
        *("Solution", "ClassesProblem", "Confusion"),
    ),
    "theory.prediction": ("Prediction",),
    "theory.classes.prediction": ("ClassesPrediction",),
    "theory.errors": ("Error", "InputError", "KindError", "RunError"),
    "pstar.predicting": (
        "predict",
        "predict_table",
        "predict_classes",
        "solve",
        "p_star",
        "kept_rate",
        "purity",
        "worth",
    ),
    "pstar.simulating": ("trial", "sweep", "compare"),
    "pstar.verifying": ("verify",),
    "sims.measure": ("Measurement",),
    "sims.comparison.compare": ("Comparison",),
    "empirical.auditing.binary": ("audit", "audit_counts", "Audit"),
    "empirical.auditing.verifiers": ("audit_verifiers",),
    "empirical.auditing.confusion": ("confusions",),
    "empirical.auditing.budget": ("budget", "cost"),
    "empirical.auditing.scores": ("threshold_curve",),
    "empirical.auditing.quality": ("soft_reading", "threshold_reading"),
    "empirical.auditing.rates": ("Counts", "Estimate"),
    "empirical.forecasting.forecast": ("forecast",),
    "empirical.forecasting.sentences": ("Forecast",),
}
MODULES = ("features",)
__all__ = [*(name for names in HOMES.values() for name in names), *MODULES]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    if name in MODULES:
        return import_module(f"pstar.{name}")
    raise AttributeError(f"module 'pstar' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
