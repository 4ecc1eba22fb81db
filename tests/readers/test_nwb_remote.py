"""Addresses: only parts of a file travel. Servers are on loopback."""

from __future__ import annotations

import json
import re
import socket
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pynapple as nap
import pytest

import isofold as iso
from isofold.errors import MissingDependencyError, ReadError

RNG = np.random.default_rng(0)
LFP = RNG.normal(size=(120_000, 8))


def session():
    t = np.arange(len(LFP)) / 1000
    trials = pd.DataFrame({"start": [0.0, 60.0], "stop": [60.0, 120.0], "side": ["l", "r"]})
    return iso.Session(
        units={4: np.array([1.0, 2.0])},
        series={"lfp": nap.TsdFrame(t=t, d=LFP), "speed": nap.Tsd(t=t[:500], d=t[:500])},
        events={"lick": np.array([1.0, 2.5])},
        trials=trials,
        subject="m1",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An HDF5 file and a Zarr folder of the same session."""
    folder = tmp_path_factory.mktemp("served")
    session().to_nwb(folder / "x.nwb")
    session().to_nwb(folder / "x.nwb.zarr")
    (folder / "x.csv").write_text("time,a\n0,1\n1,2\n")
    return folder


class Server(ThreadingHTTPServer):
    """Files of a folder in ranges, and what else is told; counts what it sends."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), partial(Handler, folder=folder))
        self.sent = 0
        self.answers: dict[str, dict] = {}
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def __init__(self, *args, folder, **more):
        self.folder = folder
        super().__init__(*args, **more)

    def setup(self):
        """Little is buffered, so that what was sent was also wanted."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        super().setup()

    def log_message(self, *said):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        file = Path(self.folder) / self.path.lstrip("/").split("?")[0]
        if self.path in self.server.answers:
            content = json.dumps(self.server.answers[self.path]).encode()
        elif file.is_file():
            content = file.read_bytes()
        else:
            self.send_error(404)
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(asked[1]), int(asked[2] or len(content))) if asked else (0, len(content))
        part = content[first : last + 1]
        self.send_response(206 if asked else 200)
        if asked:
            until = first + len(part) - 1
            self.send_header("Content-Range", f"bytes {first}-{until}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            for at in range(0, len(part), 1 << 14):  # who asks for the length only hangs up early
                try:
                    self.wfile.write(part[at : at + (1 << 14)])
                except OSError:
                    return
                self.server.sent += len(part[at : at + (1 << 14)])


@pytest.fixture
def server(folder):
    server = Server(folder)
    yield server
    server.shutdown()
    server.server_close()


def check(back):
    assert list(back.series) == ["lfp", "speed"]
    assert back.events["lick"].tolist() == [1.0, 2.5]
    assert back.units[4].times().tolist() == [1.0, 2.0]
    assert back.trials["side"].tolist() == ["l", "r"]
    assert back.subject == "m1"
    assert not isinstance(back.series["lfp"].values, np.ndarray)
    np.testing.assert_array_equal(back.series["lfp"].values[90_000:90_010], LFP[90_000:90_010])


@pytest.mark.parametrize("name", ["x.nwb", "x.nwb.zarr"])
def test_https_fetches_a_part(server, folder, name):
    back = iso.read(f"{server.address}/{name}")
    assert back.name == "x"
    assert server.sent < 0.5 * LFP.nbytes
    before = server.sent
    check(back)
    assert server.sent - before < 0.5 * LFP.nbytes  # one chunk of it
    np.testing.assert_array_equal(back.series["lfp"].values[:], LFP)
    assert server.sent > 0.9 * LFP.nbytes


def test_memory_and_file_addresses(folder):
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.pipe("/store/x.nwb", (folder / "x.nwb").read_bytes())
    check(iso.read("memory://store/x.nwb"))
    check(iso.read(f"file://{folder}/x.nwb"))


def test_what_is_not_there_or_no_nwb(server):
    with pytest.raises(ReadError, match="is neither an HDF5 file nor a Zarr folder"):
        iso.read(f"{server.address}/nothing.nwb")
    with pytest.raises(ReadError, match="only NWB is read from afar: download other files"):
        iso.read(f"{server.address}/x.csv")
    with pytest.raises(ReadError, match=r"an address begins with one of dandi://, s3://"):
        iso.read("ftp://somewhere/x.nwb")
    with pytest.raises(ReadError, match=r"nothing could be fetched|is neither"):
        iso.read("http://127.0.0.1:1/x.nwb")


def test_a_missing_package_is_named(server, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "remfile", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "isofold\[http\]"'):
        iso.read(f"{server.address}/x.nwb")
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "isofold\[s3\]"'):
        iso.read("s3://bucket/x.nwb")


# -- S3 -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bucket(folder):
    """moto's S3 on loopback with both containers in it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="lab")
    for file in folder.rglob("*"):
        if file.is_file():
            client.put_object(
                Bucket="lab", Key=str(file.relative_to(folder)), Body=file.read_bytes()
            )
    yield {"key": "test", "secret": "test", "endpoint_url": endpoint}
    server.stop()


@pytest.mark.parametrize("name", ["x.nwb", "x.nwb.zarr"])
def test_s3(bucket, name):
    check(iso.read(f"s3://lab/{name}", storage_options=bucket))
    with pytest.raises(ReadError, match="is neither an HDF5 file nor a Zarr folder"):
        iso.read(f"s3://lab/no-{name}", storage_options=bucket)


# -- DANDI --------------------------------------------------------------------------------------


def test_dandi(server):
    api, asset = f"{server.address}/api", "sub-m1/sub-m1_ses-1.nwb"
    listed = {"path": asset, "asset_id": "a1"}
    query = "/assets/?path=sub-m1/sub-m1_ses-1.nwb"
    server.answers = {
        f"/api/dandisets/000017/versions/draft{query}": {"results": [listed]},
        f"/api/dandisets/000017/versions/0.22{query}": {"results": [listed]},
        "/api/dandisets/000017/versions/draft/assets/?path=sub-m2.nwb": {"results": []},
        "/api/assets/a1/": {
            "contentUrl": [f"{api}/assets/a1/download/", f"{server.address}/x.nwb"]
        },
    }
    back = iso.read(f"dandi://000017/{asset}", dandi_api=api)
    check(back)
    assert back.name == "sub-m1_ses-1"
    check(iso.read(f"dandi://000017@0.22/{asset}", dandi_api=api))
    with pytest.raises(ReadError, match=r"dandiset 000017 \(version draft\) has no asset 'sub-m2"):
        iso.read("dandi://000017/sub-m2.nwb", dandi_api=api)
    with pytest.raises(ReadError, match="the DANDI API did not answer"):
        iso.read("dandi://000018/x.nwb", dandi_api=api)
    with pytest.raises(ReadError, match="a DANDI address is dandi://DANDISET/path"):
        iso.read("dandi://000017", dandi_api=api)
