"""The page as a person uses it, in Chromium: sliders, fields, plots, links, what is copied; and that it is silent."""

import shlex
import subprocess
import sys

import pytest

from figures.explorer import build
from tests.pstar.command import ROOT, in_one_process
from theory.describe import describe, text

VIEWS = [
    "setting=independent&p=0.3&phi=0.9&psi=0.2&signal=2&alpha=10&ridge=0.1",
    "setting=linear&cos_generator=0.4&cos_verifier=0.6&cos_between=0.2&signal=1.5&alpha=2&ridge=best",
    "setting=learned&cos_generator=0.3&phi=0.8&psi=0.35&signal=2&alpha=0.7&ridge=best",
    "setting=independent&p=0.45&phi=0.7&psi=0.6&signal=1&alpha=3&ridge=best",
    "setting=independent&p=0.1&phi=0.5&psi=0.1&signal=1&alpha=1&ridge=0",
]
"""The third has its best penalty within, the fourth at averaging; the last has no solution."""


@pytest.fixture(scope="module")
def window(visits):
    """One page for most tests: a new one costs a second."""
    with visits.page(permissions=["clipboard-read", "clipboard-write"]) as page:
        yield page


@pytest.fixture
def page(window):
    """The window at the first view, silent so far and at the end."""
    go(window, VIEWS[0])
    yield window
    assert window.complaints == []


def go(page, view):
    """To a view, as by a link; until the page rests."""
    page.wait_for_function("() => explorer.shown() !== null")
    page.evaluate("view => { location.hash = view }", view)
    page.wait_for_function("view => explorer.shown() === view", arg=view)


def printed(page):
    """What the page says that `pstar predict` prints."""
    return page.locator("#printed").text_content()


def verdict(page):
    return page.locator("#verdict").inner_text().split("\n")


# --- the verdict, and what moves it ---


def test_the_answer_stands_first_in_the_words_of_predict(page):
    first, second = [line for line in verdict(page) if len(line) > 1]
    lines = text(
        describe({"p": 0.3, "phi": 0.9, "psi": 0.2, "signal": 2.0, "alpha": 10.0, "ridge": 0.1, "loss": "squared"})
    )
    assert lines.splitlines()[-2:] == [f"verdict             {first}", f"                    {second}"]
    top = {name: page.locator(name).bounding_box()["y"] for name in ("#verdict", "#controls", "#plots")}
    assert top["#verdict"] < min(top["#controls"], top["#plots"])
    assert top["#verdict"] + page.locator("#verdict").bounding_box()["height"] < 300


@pytest.mark.parametrize(
    ("setting", "name", "bad"),
    [("independent", "psi", "End"), ("linear", "cos_verifier", "Home"), ("learned", "cos_generator", "Home")],
)
def test_a_slider_moves_the_verdict_by_keyboard(page, setting, name, bad):
    page.get_by_role("radio", name=setting).check()
    page.wait_for_function("setting => explorer.state().setting === setting", arg=setting)
    before = verdict(page)
    slider = page.locator(f"#{name}-range")
    slider.focus()
    slider.press(bad)
    page.wait_for_function(
        "before => document.getElementById('verdict').innerText.split('\\n').join() !== before", arg=",".join(before)
    )
    assert page.locator(f"#{name}-number").input_value() == str(int(float(slider.input_value())))


def test_the_verdict_is_said_aloud_when_the_page_rests(page):
    spoken = page.locator("#spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    page.locator("#psi-number").fill("0.95")
    page.wait_for_function("() => document.getElementById('spoken').textContent.includes('p* = 0.4865')")


def test_a_number_out_of_range_is_refused_where_it_is_typed(page):
    before, field = printed(page), page.locator("#p-number")
    field.fill("1.5")
    assert page.locator("#p-error").inner_text() == "p = 1.5 is outside [0, 1]"
    assert (field.get_attribute("aria-invalid"), printed(page)) == ("true", before)
    field.fill("0.25")
    page.wait_for_function("() => explorer.state().p === 0.25")
    assert (field.get_attribute("aria-invalid"), page.locator("#p-error").is_visible()) == ("false", False)


def test_a_verifier_that_keeps_nothing_is_refused(page):
    page.locator("#phi-number").fill("0")
    page.locator("#psi-number").fill("0")
    page.wait_for_function("() => document.getElementById('verdict').innerText.includes('keeps nothing')")
    assert not page.locator("#plots").is_visible()


def test_cosines_stay_those_of_three_unit_vectors(page):
    page.get_by_role("radio", name="linear").check()
    page.locator("#cos_verifier-number").fill("1")
    page.locator("#cos_generator-number").fill("0.7")
    page.wait_for_function("() => explorer.state().cos_between === 0.7")


def test_another_setting_keeps_the_error_rate(page):
    page.get_by_role("radio", name="learned").check()
    page.wait_for_function("() => Math.abs(explorer.predict(explorer.state()).p - 0.3) < 1e-3")


# --- the plots ---


def test_plots_are_dragged_and_frames_are_counted(page, record_property):
    """How many frames a second is said by the page's own trace, and is not judged: other work shares the machine."""
    box = page.locator("#roc").bounding_box()
    page.evaluate("explorer.frames.length = 0")
    page.mouse.move(box["x"] + 100, box["y"] + 120)
    page.mouse.down()
    for step in range(30):
        page.mouse.move(box["x"] + 100 + 4 * step, box["y"] + 120 + 2 * step)
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes(`psi=${explorer.state().psi}&`)")
    frames = page.evaluate("explorer.frames")
    took = sorted(frame["took"] for frame in frames)
    rate = 1000 * (len(frames) - 1) / (frames[-1]["at"] - frames[0]["at"])
    record_property("frames", f"{rate:.0f} frames a second, {took[len(took) // 2]:.1f} ms each to compute and draw")
    print(f"while dragging: {rate:.0f} frames a second, {took[len(took) // 2]:.1f} ms each (median)")
    state = page.evaluate("explorer.state()")
    frame = page.locator("#roc .frame").bounding_box()
    x, y = box["x"] + 216, box["y"] + 178
    assert state["psi"] == pytest.approx((x - frame["x"]) / frame["width"], abs=0.01)
    assert state["phi"] == pytest.approx(1 - (y - frame["y"]) / frame["height"], abs=0.01)


COLOURS = """({ id, points }) => {
  document.getElementById(id).scrollIntoView({ block: "center" });
  const box = document.querySelector(`#${id} .frame`).getBoundingClientRect();
  return points.map(([x, y]) => {
    const under = document.elementsFromPoint(box.left + x * box.width, box.bottom - y * box.height);
    return Number(under.map(each => (each.getAttribute("class") ?? "").match(/gain-(\\d)/)?.[1]).find(Boolean) ?? -1);
  });
}"""


GAINS = """states => states.map(state => {
  const found = explorer.predict(state);
  return found.accuracy - found.generator_accuracy;
})"""


@pytest.mark.parametrize(("view", "plane"), [(VIEWS[0], "phase"), (VIEWS[0], "roc"), (VIEWS[2], "roc")])
def test_colours_say_where_training_gains(page, view, plane):
    """Point by point as Chromium has them, against the prediction there: blue where training gains, else orange."""
    points = [[x / 12 + 0.02, y / 12 + 0.02] for x in range(12) for y in range(12)]
    go(page, view)
    state = page.evaluate("({ ...explorer.state(), ridge: Number(document.getElementById('ridge-number').value) })")
    moved = [{"psi": x, "phi": y} if plane == "roc" else {"p": x, "psi": y * state["phi"]} for x, y in points]
    gains = page.evaluate(GAINS, [state | there for there in moved])
    bands = page.evaluate(COLOURS, {"id": plane, "points": points})
    clear = [(gain, band) for gain, band in zip(gains, bands, strict=True) if abs(gain) > 0.015]
    assert [gain > 0 for gain, _ in clear] == [band >= 5 for _, band in clear]
    assert {gain > 0 for gain, _ in clear} == {True, False}
    assert len(clear) > 100


def test_every_plot_and_control_has_a_name(page):
    for plot in ("phase", "roc", "accuracy"):
        words = page.locator(f"#{plot}").get_attribute("aria-label")
        assert len(words) > 80
        assert "0.3" in words or plot == "roc"
    assert "Best at this sample size" in page.locator("#roc").get_attribute("aria-label")
    nameless = """[...document.querySelectorAll("input, button, [tabindex='0']")].filter(each =>
      !(each.labels?.length || each.textContent.trim() || each.getAttribute("aria-label")))"""
    assert page.evaluate(f"{nameless}.length") == 0
    assert page.get_by_label("wrong labels that are kept").count() == 2


NOTES = [
    (
        "p=0.3&phi=0.9&psi=0.2&alpha=1&ridge=0",
        "not known: the curve over p is unsolved",
        "none of its points is solved",
    ),
    (
        "p=0.3&phi=0.9&psi=0.2&alpha=1.5&ridge=0",
        "Solved only for p below 0.333: there training does not pay.",
        "Best of",
    ),
    ("p=0.9&phi=1&psi=0&alpha=2&ridge=0", "below 0.500: there training pays for p from 0.107 to 0.500.", "φ or ψ is 0"),
    ("p=0.3&phi=0.2&psi=0.9&alpha=1.5&ridge=0", "Solved only for p above 0.667: there training pays.", "Best of"),
    (
        "p=1&phi=0.9&psi=0&alpha=10&ridge=0.1",
        "below 1.000: there training pays for p from 0.030 to 1.000.",
        "φ or ψ is 0",
    ),
    ("p=0.3&phi=0.9&psi=0.2&alpha=10&ridge=0.1", "Training pays for p from 0.031 on.", "Best of every threshold"),
]
"""View at signal 2, and parts of what is said below the accuracy and below the verifier's plane."""


@pytest.mark.parametrize(("view", "pays", "best"), NOTES)
def test_notes_claim_nothing_of_what_is_not_solved(page, view, pays, best):
    go(page, f"setting=independent&{view.replace('&alpha', '&signal=2&alpha')}")
    accuracy, roc = (page.locator(f"#{plot}-note").text_content() for plot in ("accuracy", "roc"))
    assert pays in accuracy
    assert best in roc
    assert accuracy in page.locator("#accuracy").get_attribute("aria-label")


def test_the_star_is_the_best_at_the_penalty_that_is_named(page):
    """It suits the verifier at the cursor; at the star another would be better, and none is searched."""
    go(page, "setting=independent&p=0.43&phi=0.27&psi=0.98&signal=3.3&alpha=1.4&ridge=best")
    state = page.evaluate("explorer.state()")
    ridge = page.evaluate("state => explorer.bestRidge(state)", state)
    best = page.evaluate("state => explorer.operating(state, null).best", state | {"ridge": ridge})
    there = {"psi": best["psi"], "phi": best["phi"], "ridge": ridge}
    assert page.evaluate("state => explorer.predict(state).accuracy", state | there) == best["accuracy"]
    note = page.locator("#roc-note").text_content()
    named = "∞" if ridge == 1e12 else f"{ridge:.3g}"
    assert f"Best at λ = {named}, which suits the verifier at the cursor, of every threshold" in note
    assert f"accuracy {best['accuracy']:.3f}" in note


# --- links, commands, looks ---


EXTREMES = [
    "setting=learned&cos_generator=0.4&phi=0&psi=0.4&signal=2&alpha=10&ridge=0.1",
    "setting=linear&cos_generator=1&cos_verifier=-1&cos_between=-1&signal=2&alpha=1&ridge=1",
    "setting=independent&p=0.3&phi=0&psi=0.4&signal=2&alpha=10&ridge=best",
]


@pytest.mark.parametrize("view", EXTREMES)
def test_nothing_is_drawn_where_a_number_is_not_finite(page, view):
    """An SVG that is none would be a complaint on the console."""
    go(page, view)
    assert page.complaints == []
    marks = page.evaluate("[...document.querySelectorAll('path')].map(each => each.getAttribute('d')).join()")
    assert not {"NaN", "Infinity"} & set(marks.replace("M", " ").replace("L", " ").replace("-", "").split())
    assert "p* = nan" not in page.locator("#phase").get_attribute("aria-label")


def test_a_link_restores_a_number_of_any_size(page):
    view = "setting=independent&p=0.3&phi=0.9&psi=0.2&signal=2&alpha=1e%2B22&ridge=0.1"
    go(page, view)
    assert page.evaluate("explorer.state().alpha") == 1e22
    assert not page.locator("#ignored").is_visible()
    page.evaluate("location.hash = 'phi=%'")
    page.locator("#ignored").wait_for()
    assert "phi=%" in page.locator("#ignored").inner_text()


def test_the_fragment_restores_a_view(page, visits):
    before = printed(page)
    page.get_by_role("radio", name="linear").check()
    page.locator("#best").check()
    page.locator("#signal-number").fill("1.25")
    page.wait_for_function("() => location.hash.includes('signal=1.25')")
    moved, link = printed(page), page.evaluate("location.hash").removeprefix("#")
    go(page, VIEWS[0])
    assert printed(page) == before != moved
    with visits.page(fragment=link) as other:
        assert printed(other) == moved


def test_what_a_link_says_that_is_no_state_is_named(page):
    page.evaluate("location.hash = 'setting=learned&p=7&colour=red&phi=0.5'")
    page.locator("#ignored").wait_for()
    assert "p=7, colour=red" in page.locator("#ignored").inner_text()
    assert page.evaluate("[explorer.state().setting, explorer.state().phi]") == ["learned", 0.5]


def copied(page, button):
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="Copied").wait_for()
    words = page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name=button).wait_for()
    return words


def test_the_copied_command_prints_what_the_page_says(page):
    commands, said = [], []
    for view in VIEWS:
        go(page, view)
        commands.append(copied(page, "Copy as command"))
        said.append(printed(page))
    answers = in_one_process([shlex.split(command)[1:] for command in commands])
    assert [out.rstrip("\n") for _, out, _ in answers] == said
    shell = commands[2].replace("pstar", f"{shlex.quote(sys.executable)} -m pstar", 1)
    done = subprocess.run(shell, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip("\n") == said[2]


def test_the_copied_python_computes_what_the_page_says(page, capsys):
    for view in VIEWS[:3]:
        go(page, view)
        exec(copied(page, "Copy as Python"), {})
        out = capsys.readouterr().out
        accuracy = next(line.split()[-1] for line in out.splitlines() if line.split()[0] == "accuracy")
        assert f"accuracy            {float(accuracy):.6f}   of the" in printed(page)


def test_nothing_leaves_the_page(page):
    page.locator("#psi-number").fill("0.3")
    page.wait_for_function("() => location.hash.includes('psi=0.3')")
    assert {url.partition("#")[0] for url in page.requests} == {page.address}
    blocked = page.evaluate(
        """() => new Promise(done => {
          addEventListener("securitypolicyviolation", event => done(event.violatedDirective));
          document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/x.png" }));
        })"""
    )
    assert blocked == "img-src"
    page.complaints.clear()  # the browser tells of what it has blocked


def test_a_request_would_be_seen(visits):
    """The twin: a page without its policy that asks for a picture."""
    policy = build().partition('<meta http-equiv="Content-Security-Policy"')
    bare = policy[0] + policy[2].partition(">\n")[2].replace(
        "<noscript>", '<img src="http://127.0.0.1:9/x.png"><noscript>', 1
    )
    with visits.page(content=bare) as page:
        page.wait_for_function("() => document.readyState === 'complete'")
        assert "http://127.0.0.1:9/x.png" in page.requests
        page.complaints.clear()


@pytest.mark.parametrize("view", VIEWS[:2])
def test_a_phone_needs_no_sideways_scrolling(visits, view):
    with visits.page(fragment=view, viewport={"width": 375, "height": 760}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.locator("#accuracy").scroll_into_view_if_needed()
        assert page.locator("#verdict").bounding_box()["y"] < 60, "the verdict stays in sight"


def test_light_dark_and_paper(visits):
    ground = "getComputedStyle(document.body).backgroundColor"
    with visits.page(color_scheme="dark") as page:
        assert page.evaluate(ground) == "rgb(20, 23, 28)"
        page.get_by_role("button", name="Theme: automatic").click()
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        page.get_by_role("button", name="Theme: light").click()
        assert page.evaluate(ground) == "rgb(20, 23, 28)"
        page.emulate_media(media="print")
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        assert not page.locator("#p-range").is_visible()
        assert page.locator("#verdict").is_visible()


# --- one's own verifier ---


def estimate(value):
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


VERIFIERS = [
    {
        "name": "<b>strict</b>",
        "p": estimate(0.3),
        "phi": estimate(0.6),
        "psi": estimate(0.1),
        "p_star": estimate(0.857),
    },
    {"name": "lenient", "p": estimate(0.3), "phi": estimate(0.9), "psi": estimate(0.4), "p_star": estimate(0.692)},
]
REGION = [[0.05, 0.55], [0.15, 0.55], [0.15, 0.65], [0.05, 0.65]]
CURVE = [[0, 0], [0.1, 0.6], [0.4, 0.9], [1, 1]]


def test_an_audit_whose_threshold_may_be_zero(visits):
    with visits.page(
        {"verifiers": [VERIFIERS[0] | {"p_star": {"value": 0.4, "low": 0.0, "high": 0.9}}], "curve": None}
    ):
        pass  # silent at the end


def test_ones_own_verifier_is_shown(visits):
    """The one with a region, the other with an interval of each rate; the best of the measured thresholds."""
    own = [VERIFIERS[0] | {"region": REGION}, VERIFIERS[1] | {"region": None}]
    start = {"p": 0.3, "phi": 0.6, "psi": 0.1}
    with visits.page({"verifiers": own, "curve": CURVE, "start": start}) as page:
        assert page.evaluate("(({ p, phi, psi }) => ({ p, phi, psi }))(explorer.state())") == start
        frame, region = (page.locator(f"#roc {look}").bounding_box() for look in (".frame", ".region"))
        assert region["x"] - frame["x"] == pytest.approx(0.05 * frame["width"], abs=5)
        assert region["width"] == pytest.approx(0.1 * frame["width"], abs=8)
        assert page.locator("#roc .mine").count() == page.locator("#phase .mine").count() == 2
        assert page.locator("#roc .whisker").count() == 1
        assert "the measured thresholds of your verifier" in page.locator("#roc-note").inner_text()
        page.get_by_role("button", name="lenient").click()
        page.wait_for_function("() => explorer.state().phi === 0.9")
        assert page.locator("#mine button").all_inner_texts() == ["<b>strict</b>", "lenient"]
        best = page.evaluate("curve => explorer.operating(explorer.state(), curve).best", CURVE)
        tried = [
            page.evaluate("([psi, phi]) => explorer.predict({ ...explorer.state(), psi, phi }).accuracy", at)
            for at in CURVE[1:]
        ]
        assert best["accuracy"] == max(tried)
        page.get_by_role("radio", name="linear").check()
        page.wait_for_function("() => !document.querySelector('#roc .mine')")
