"""Nothing gets through: foreign requests, paths that lead outside, files that reach outside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from app_folder import Asker, with_recording, write_results

import isofold as iso
from isofold.app import create_app
from isofold.app.folder import Folder
from isofold.app.foreign import check_contents
from isofold.app.guard import MOST_BYTES
from isofold.app.study_form import checked_study
from isofold.errors import StudyError, UnsafeFileError

TOKEN = "correct-horse-battery"
SECRET = "the-canary-sings"
HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
OUTSIDE = [
    "..", "../outside", "../../", "/etc", "results/../../outside", "results/link", "link/deep",
    "file:///etc", "s3://bucket/x", "~", "~root", "a\x00b", "./../outside",
    "results//../../outside",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """DIR with results and links out of it; beside DIR what nobody may see."""
    world = tmp_path_factory.mktemp("world")
    root, outside = world / "root", world / "outside"
    write_results(root / "results" / "track", seeds=(0,), failed=1)
    write_results(outside, name=SECRET, seeds=(0,), failed=0)
    (outside / "secret.npz").write_bytes(b"PK" + SECRET.encode())
    (outside / "report.html").write_text(SECRET)
    (outside / "study-file.toml").write_text(f"name = '{SECRET}'")
    (root / "results" / "link").symlink_to(outside)
    (root / "link").symlink_to(world)
    (root / "secret.npz").symlink_to(outside / "secret.npz")
    (root / "secret.toml").symlink_to(outside / "study-file.toml")
    return world


@pytest.fixture(scope="module")
def asker(world) -> Asker:
    return Asker(world / "root")


# -- who asks -------------------------------------------------------------------------------------

PAGES = ["/", "/_dash-layout", "/_dash-dependencies", "/assets/app.css", "/report?folder=x",
         "/_isofold/page.css", "/_dash-component-suites/dash/deps/react@18.3.1.min.js"]  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "localhost.evil",
             "0.0.0.0", "[::2]", "192.168.0.7", "user@evil", ""],
)  # fmt: skip
def test_foreign_hosts_are_refused(asker, address, host):
    answer = asker.client.get(address, headers={"Host": host})
    assert answer.status_code == 403
    assert b"Host" in answer.data
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8050", "localhost:9000", "[::1]:80"])
def test_hosts_of_this_machine_are_known(asker, host):
    assert asker.client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_foreign_origins_are_refused(asker, headers):
    body = {"output": "x.y", "outputs": {"id": "x", "property": "y"}, "inputs": [], "state": []}
    for answer in (
        asker.client.get("/_dash-layout", headers=headers),
        asker.client.post("/_dash-update-component", json=body, headers=headers),
    ):
        assert answer.status_code == 403
        assert b"origin" in answer.data or b"another site" in answer.data


def test_own_origin_and_a_link_from_elsewhere_are_let_in(asker):
    assert asker.client.get("/", headers={"Origin": "http://localhost"}).status_code == 200
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert asker.client.get("/", headers=followed).status_code == 200
    assert asker.client.post("/", headers=followed).status_code == 403


# -- tokens ---------------------------------------------------------------------------------------


def test_a_host_that_others_reach_needs_a_token(tmp_path):
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org"):
        with pytest.raises(StudyError, match="give a token"):
            create_app(tmp_path, host=host)
    with pytest.raises(StudyError, match="at least 16"):
        create_app(tmp_path, token="short")


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("given", ["", "?token=", "?token=wrong", f"?token={TOKEN}x", "?token=é"])
def test_without_the_token_nothing_is_served(tmp_path, address, given):
    client = create_app(tmp_path, token=TOKEN).server.test_client()
    client.set_cookie("isofold-80", "wrong")
    joined = address + (given.replace("?", "&") if "?" in address else given)
    answer = client.get(joined)
    assert answer.status_code == 403
    assert b"token" in answer.data
    body = {"output": "x.y", "inputs": [], "outputs": []}
    assert client.post("/_dash-update-component", json=body).status_code == 403


def test_the_token_moves_from_the_address_into_a_cookie(tmp_path):
    client = create_app(tmp_path, token=TOKEN).server.test_client()
    answer = client.get(f"/results?token={TOKEN}&folder=a%20b")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/results?folder=a+b"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/_dash-layout").status_code == 200
    assert client.get("/_dash-layout", headers={"Origin": "http://evil"}).status_code == 403


def test_the_way_on_never_leads_to_another_host(tmp_path):
    client = create_app(tmp_path, token=TOKEN).server.test_client()
    for path in ("//evil.example/", "/%5C%5Cevil.example", "///evil.example"):
        answer = client.get(f"http://localhost{path}?token={TOKEN}")
        assert not answer.headers.get("Location", "/").startswith(("//", "/\\", "http"))


def test_an_address_is_a_known_host_only_where_all_are_listened_on(tmp_path):
    every = create_app(tmp_path, host="0.0.0.0", token=TOKEN).server.test_client()
    for host, code in {"192.168.1.5:80": 302, "evil.example": 403}.items():
        answer = every.get(f"/?token={TOKEN}", headers={"Host": host})
        assert answer.status_code == code


# -- where it leads -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_page_leads_outside(asker, name):
    for address in (f"/results?folder={name}", f"/recording?path={name}"):
        text = asker.page(address)
        assert SECRET not in text
        assert "cannot be shown" in text
    answer = asker.client.get("/report", query_string={"folder": name})
    assert answer.status_code == 404
    assert SECRET.encode() not in answer.data


@pytest.mark.parametrize("name", [*OUTSIDE, 3, None, ["results/track"], {"a": 1}])
def test_no_argument_of_a_callback_leads_outside(asker, world, name):
    view = {"folder": name, "key": "x", "axes": "widest", "onto": None, "label": None}
    trial = {"view": view, "trials": ["0"]}
    pair = {"left": _key(world), "right": _key(world)}
    asked = [
        asker.ask("runs.children", folder=name, pair=pair),
        asker.ask("scene-left", folder=name, pair=pair, axes="widest", show="all", align=[]),
        asker.ask("marks", folder="results/track", pair=pair, selection=trial),
        asker.ask("trials.children", selection=trial),
        asker.ask("trace", folder="results/track", pair=pair, trial="0", selection=trial,
                  axes="widest", align=[]),
        asker.ask("download", trigger="save-csv.n_clicks", save_csv=1, selection=trial),
        asker.ask("f-labels", f_recording=name),
        asker.ask("study-said", trigger="start-file.n_clicks", start_file=1, study_file=name),
    ]  # fmt: skip
    for answer in asked:
        assert SECRET not in answer.get_data(as_text=True)
        assert answer.status_code in (200, 204, 400, 500)


@pytest.mark.parametrize(
    "key", ["../../../../outside/runs", "..", "/etc", "", "a/b", "x" * 5000, 7]
)
def test_no_key_of_a_run_leads_outside(asker, world, key):
    for pair in ({"left": key}, {"left": _key(world), "right": key}):
        for side in ("left", "right"):
            answer = asker.ask(f"scene-{side}", folder="results/track", pair=pair, axes="widest",
                               show="all", align=["on"], color="position")  # fmt: skip
            assert SECRET not in answer.get_data(as_text=True)
    shown = asker.page(f"/results?folder=results/track&left={key}")
    assert "no run" in shown or key == ""


def test_links_out_are_not_listed(asker):
    text = asker.page("/")
    assert "results/track" in text
    assert "results/link" not in text
    assert "secret" not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "place", ["study.toml", "manifest.json", "scores.parquet", "runs/{key}/settings.json",
              "runs/{key}/embedding.zarr", "runs/{key}/embedding.zarr/values/.zarray",
              "runs/{key}"],
)  # fmt: skip
def test_results_with_a_link_out_are_refused(tmp_path, place):
    folder = write_results(tmp_path / "root" / "r", seeds=(0,), failed=0, control=False)
    key = sorted(p.name for p in (folder / "runs").iterdir())[0]
    target = folder / place.format(key=key)
    moved = tmp_path / "away" / target.name
    moved.parent.mkdir()
    shutil.move(target, moved)
    target.symlink_to(moved)
    text = Asker(tmp_path / "root").page(f"/results?folder=r&left={key}")
    assert "link out of the folder" in text


def test_a_link_that_comes_later_is_refused_too(tmp_path):
    folder = write_results(tmp_path / "root" / "r", seeds=(0,), failed=0, control=False)
    asker = Asker(tmp_path / "root")
    assert "linear-track" in asker.page("/results?folder=r")
    key = sorted(p.name for p in (folder / "runs").iterdir())[-1]
    target = folder / "runs" / key / "embedding.zarr"
    shutil.move(target, tmp_path / "away.zarr")
    target.symlink_to(tmp_path / "away.zarr")
    answer = asker.ask("scene-left", folder="r", pair={"left": key}, axes="widest", show="all",
                       align=[], color="position")  # fmt: skip
    assert "link out of the folder" in json.dumps(answer.get_json())


def test_what_a_report_holds_cannot_ask_the_app(world, asker):
    path = world / "root" / "results" / "track" / "report.html"
    path.write_text("<script>fetch('/_dash-layout')</script>")
    answer = asker.client.get("/report?folder=results/track")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy  # default-src 'none' holds
    assert "default-src 'none'" in policy


def test_files_of_the_package_are_not_served(asker):
    for address in ("/assets/../server.py", "/assets/%2e%2e/server.py", "/static/../server.py",
                    "/_dash-component-suites/isofold/app/server.py",
                    "/_dash-component-suites/dash/../../../etc/passwd"):  # fmt: skip
        assert asker.client.get(address).status_code == 404


# -- files that reach outside ---------------------------------------------------------------------


def test_hdf5_files_that_reach_outside_are_refused(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    with h5py.File(tmp_path / "away.h5", "w") as away:
        away["x"] = np.arange(3)
    (tmp_path / "raw.bin").write_bytes(b"12345678")
    with h5py.File(root / "link.h5", "w") as file:
        file["deep/link"] = h5py.ExternalLink("../away.h5", "x")
    with h5py.File(root / "raw.h5", "w") as file:
        file.create_dataset("x", (8,), "u1", external=[(str(tmp_path / "raw.bin"), 0, 8)])
    with h5py.File(root / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((3,), "i8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "away.h5"), "x", (3,))
        file.create_virtual_dataset("x", layout)
    with h5py.File(root / "fine.h5", "w") as file:
        file["x"] = np.arange(3)
        file["again"] = h5py.SoftLink("/x")
        file["round/circle"] = file["/"]
    folder = Folder(root)
    for name in ("link.h5", "raw.h5", "virtual.h5"):
        with pytest.raises(StudyError, match="out of the folder of the app"):
            check_contents(folder, root / name)
        assert "out of the folder" in Asker(root).page(f"/recording?path={name}")
    check_contents(folder, root / "fine.h5")


def test_zarr_folders_that_unpickle_or_reach_outside_are_refused(tmp_path):
    root = tmp_path / "root"
    write_results(root / "r", seeds=(0,), failed=0, control=False)
    run = next((root / "r" / "runs").iterdir())
    array = run / "embedding.zarr" / "values" / ".zarray"
    about = json.loads(array.read_text())
    array.write_text(
        json.dumps(about | {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 4}]})
    )
    text = Asker(root).page(f"/results?folder=r&left={run.name}")
    assert "would run code" in text
    saved = iso.simulate.circle(seed=0, n_samples=50).save(root / "circle")
    folder = Folder(root)
    check_contents(folder, saved)
    (saved / ".zattrs").write_text(
        json.dumps({"zarr_link": [{"source": "../../away.zarr", "path": "/x", "name": "x"}]})
    )
    with pytest.raises(StudyError, match="holds a link to"):
        check_contents(folder, saved)
    (saved / ".zattrs").write_text(json.dumps({"filters": [{"id": "pickle"}]}))
    with pytest.raises(UnsafeFileError, match="would run code"):
        check_contents(folder, saved)


def test_tables_beside_that_are_links_out_are_refused(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "away.csv").write_text("time,x\n0,1\n")
    (tmp_path / "root" / "a.csv").write_text("time,x\n0,1\n")
    (tmp_path / "root" / "b.csv").symlink_to(tmp_path / "away.csv")
    with pytest.raises(StudyError, match="link out"):
        check_contents(Folder(tmp_path / "root"), tmp_path / "root" / "a.csv")


def test_what_readers_look_at_above_the_folder_is_refused(tmp_path):
    root = tmp_path / "fib"  # its behaviour would be read from beside it
    root.mkdir()
    (root / "green.csv").write_text("time,x\n0,1\n")
    with pytest.raises(StudyError, match="one folder higher"):
        check_contents(Folder(root), root / "green.csv")
    inside = tmp_path / "fib" / "fib"
    inside.mkdir()
    (inside / "green.csv").write_text("time,x\n0,1\n")
    check_contents(Folder(root), inside / "green.csv")
    (root / "behavior").symlink_to(tmp_path)
    with pytest.raises(StudyError, match="link out"):
        check_contents(Folder(root), inside / "green.csv")


@pytest.mark.parametrize(
    "option",
    ['clean = [{photometry = {signal = "470", scratch = "/tmp/x"}}]',
     'clean = [{photometry = {signal = "470", scratch = "x"}}]',
     'read = {time = "/etc/passwd"}', 'read = {time = "file:///etc/passwd"}'],
)  # fmt: skip
def test_options_that_name_places_are_refused(tmp_path, option):
    iso.simulate.circle(seed=0, n_samples=50).save(tmp_path / "circle")
    file = tmp_path / "x.toml"
    file.write_text(
        f'name = "x"\n[[recordings]]\npath = "circle"\n{option}\n[[methods]]\nmethod = "pca"\n'
    )
    with pytest.raises(StudyError, match=r"scratch files|only what lies in the folder"):
        checked_study(file, Folder(tmp_path))


def test_recordings_outside_are_not_read_for_traces(tmp_path):
    """A study that was run elsewhere names its file; only what lies in DIR is opened."""
    with_recording(tmp_path / "root")
    shutil.move(tmp_path / "root" / "recordings", tmp_path / "recordings")
    study = tmp_path / "root" / "results" / "track" / "study.toml"
    study.write_text(study.read_text().replace("/root/recordings", "/recordings"))
    asker = Asker(tmp_path / "root")
    key = iso.open_results(tmp_path / "root" / "results" / "track").runs["key"][0]
    view = {"folder": "results/track", "key": key, "axes": "1-2", "onto": None, "label": None}
    answer = asker.ask(
        "trace", folder="results/track", pair={"left": key}, trial="3", axes="1-2", align=[],
        selection={"view": view, "trials": ["3"]}, color="position",
    )  # fmt: skip
    said = answer.get_json()["response"]["trace-said"]["children"]
    assert "lies outside the folder of the app" in said


# -- studies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["../outside/secret.npz", "/etc/passwd", "${HOME}/x.npz", "$HOME/x.npz", "~/x.npz",
     "s3://bucket/x.nwb", "https://evil.example/x.nwb", "../*/secret.npz", "*/../../outside/*.npz",
     "secret.npz", "link/outside/secret.npz", "{a,b}/../../outside/secret.npz"],
)  # fmt: skip
@pytest.mark.parametrize("as_axis", [False, True])
def test_study_files_that_reach_outside_are_refused(world, path, as_axis):
    root = world / "root"
    block = f'grid = {{path = ["{path}"]}}' if as_axis else f'path = "{path}"'
    file = root / "reach.toml"
    file.write_text(
        f'name = "x"\n[[recordings]]\n{block}\nbin = {{width = 1.0}}\n[[methods]]\nmethod = "pca"\n'
    )
    with pytest.raises(StudyError) as refused:
        checked_study(file, Folder(root))
    assert SECRET not in str(refused.value)
    assert os.environ.get("HOME", "/none") not in str(refused.value)
    file.unlink()


def test_study_files_with_a_cluster_or_too_large_are_refused(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text('name = "x"\n[cluster]\nqueue = "x"\n')
    with pytest.raises(StudyError, match="command line"):
        checked_study(file, Folder(tmp_path))
    file.write_text("# " + "x" * 2**20)
    with pytest.raises(StudyError, match="too large"):
        checked_study(file, Folder(tmp_path))


@pytest.mark.parametrize("name", ["../x", "../../outside/x", "/etc/x", "a/b", HOSTILE, "a\x00b"])
def test_names_of_studies_stay_in_their_folder(tmp_path, name):
    folder = tmp_path / "root"
    folder.mkdir()
    from isofold.app.study_form import placed, results_of

    inside = Folder(folder)
    assert results_of(name, inside).parent == folder / "results"
    assert placed("name = 'x'", name, inside).parent == folder / "studies"
    assert [p.name for p in tmp_path.iterdir()] == ["root"]


def test_results_and_studies_are_not_written_through_links(tmp_path):
    (tmp_path / "root").mkdir()
    for name in ("studies", "results"):
        (tmp_path / "root" / name).symlink_to(tmp_path)
    from isofold.app.study_form import placed, results_of

    folder = Folder(tmp_path / "root")
    for ask in (lambda: placed("x", "x", folder), lambda: results_of("x", folder)):
        with pytest.raises(StudyError, match="only what lies in the folder"):
            ask()


# -- text and size --------------------------------------------------------------------------------


def test_hostile_names_stay_text(tmp_path):
    """In results every name may come from a file; pages put them into text nodes only."""
    folder = write_results(
        tmp_path / "r", name=HOSTILE, recordings=(HOSTILE,), methods={HOSTILE: 0.2},
        seeds=(0,), failed=1, control=False,
    )  # fmt: skip
    _rename_labels(folder)
    asker = Asker(tmp_path)
    for address in ("/", "/results?folder=r"):
        nodes = list(_nodes(json.loads(asker.page(address))))
        assert {n["type"] for n in nodes}.isdisjoint(
            {"Markdown", "DangerouslySetInnerHTML", "Iframe"}
        )
        for node in nodes:
            props = node["props"]
            assert "dangerously_allow_html" not in props
            assert not str(props.get("href", "")).lower().startswith(("javascript", "data"))
    key = next(p.name for p in (folder / "runs").iterdir() if (p / "done").exists())
    view = {"folder": "r", "key": key, "axes": "widest", "onto": None, "label": HOSTILE}
    answer = asker.ask(
        "trace", folder="r", pair={"left": key}, trial=HOSTILE, axes="widest", align=[],
        selection={"view": view, "trials": [HOSTILE]}, color=HOSTILE,
    ).get_json()  # fmt: skip
    figure = json.dumps(answer["response"]["trace"]["figure"])
    assert "&lt;script&gt;" in figure
    assert "<script" not in figure
    assert "<img" not in figure


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 20 * MOST_BYTES])
def test_oversized_requests_are_refused(asker, size):
    answer = asker.client.post(
        "/_dash-update-component", data=b"x" * size, content_type="application/json"
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"output": 1}', b"\xff\xfe"])
def test_broken_requests_say_nothing(asker, body):
    answer = asker.client.post(
        "/_dash-update-component", data=body, content_type="application/json"
    )
    assert answer.status_code >= 400
    assert b"Traceback" not in answer.data
    assert b"/src/" not in answer.data


def test_every_answer_says_what_a_page_may_do(asker):
    headers = asker.client.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    scripts = policy.split("script-src", 1)[1].split(";")[0]
    assert "unsafe-inline" not in scripts
    assert "http" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert "http://" not in asker.client.get("/").get_data(as_text=True).replace(
        "http://www.w3", ""
    )
    assert "https://" not in asker.client.get("/").get_data(as_text=True)


def _key(world: Path) -> str:
    runs = iso.open_results(world / "root" / "results" / "track").runs
    return str(runs[runs["status"] == "done"]["key"].iloc[0])


def _nodes(value):
    if isinstance(value, dict):
        if "props" in value and "type" in value:
            yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _rename_labels(folder: Path) -> None:
    """The label and one of its values, and a trial, are called what nobody should run."""
    from isofold.studies.embedding_store import load_embedding, save_embedding

    for path in folder.glob("runs/*/embedding.zarr"):
        z = load_embedding(path)
        side = np.where(z["direction"].values == "out", HOSTILE, "back")
        trial = np.where(z["trial"].values == 0, HOSTILE, "other")
        z = z.drop_vars("direction").assign_coords(
            {HOSTILE: ("time", side), "trial": ("time", trial)}
        )
        shutil.rmtree(path)
        save_embedding(z, path)
