"""Files of acquisition systems, written byte by byte after the formats' own descriptions.

Nothing of isofold is used here: what the readers are tested on, they did not write.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import h5py
import numpy as np

RNG = np.random.default_rng(3)
CLOCK = 1_893_087.0
"""Seconds of a Harp clock that has run for three weeks."""


# -- AIND ---------------------------------------------------------------------------------------


def aind_run(run: Path, n=50, fibers=4, start=CLOCK, first_frame=0, order=None):
    """One fip_ folder of the current standard, with everything that it guarantees."""
    run.mkdir(parents=True)
    shuffle = np.random.default_rng(n).permutation
    for k, color in enumerate(("green", "red", "iso")):
        times = start + np.arange(n) / 20 + 0.016 * k
        frames = range(n) if color == "red" else range(k == 2, 2 * n, 2)  # two lights, one camera
        columns = {
            "ReferenceTime": [f"{t:.6f}" for t in times],
            "CameraFrameNumber": [str(first_frame + f) for f in frames],
            "CameraFrameTime": [str(round((t - start) * 1e9)) for t in times],
            "Background": [f"{257 + 0.1 * i:.3f}" for i in range(n)],
        }
        for f in range(fibers):
            base = 1000 * (k + 1) + 10 * f
            columns[f"Fiber_{f}"] = [f"{base + i / 7:.6f}" for i in range(n)]
        names = list(columns)
        names = names if order is None else [names[i] for i in shuffle(len(names))]
        rows = [",".join(names)] + [",".join(columns[c][i] for c in names) for i in range(n)]
        (run / f"{color}.csv").write_text("\n".join(rows) + "\n")
        about = {"Width": 4, "Height": 3, "Depth": "U16", "Channel": 1}
        (run / f"{color}_metadata.json").write_text(json.dumps(about))
        (run / f"{color}.bin").write_bytes(bytes(4 * 3 * 2 * n))
    camera(run / "camera_red_metadata.csv", n, start + 0.016, 0.05, first_frame)
    camera(run / "camera_green_iso_metadata.csv", 2 * n, start, 0.025, first_frame)
    circle = {"Center": {"X": 10, "Y": 20}, "Radius": 5}
    regions = {"camera_green_iso_background": circle, "camera_red_background": circle}
    regions |= {f"camera_{c}_roi": [circle] * fibers for c in ("green_iso", "red")}
    (run / "regions.json").write_text(json.dumps(regions))
    return run


def camera(path: Path, n, start, step, first=0):
    rows = ["ReferenceTime,CameraFrameNumber,CameraFrameTime,CpuTime"]
    rows += [
        f"{start + step * i:.6f},{first + i},{round(step * i * 1e9)},2026-11-05T10:00:00-08:00"
        for i in range(n)
    ]
    path.write_text("\n".join(rows) + "\n")


def aind(folder: Path, **more) -> Path:
    """An acquisition folder with one fip_ folder."""
    home = folder / "behavior_712345_2026-11-05_10-00-00"
    aind_run(home / "fib" / "fip_2026-11-05T100000", **more)
    return home


def behavior(home: Path, pulses=50, **more) -> dict:
    rising = [CLOCK + 0.05 * i for i in range(pulses)]
    said = {
        "B_PhotometryRisingTimeHarp": rising,
        "B_PhotometryFallingTimeHarp": [t + 0.02 for t in rising],
        "B_LeftLickTime": [CLOCK + 0.31, CLOCK + 0.41],
        "B_RightLickTime": [],
        "B_LeftRewardDeliveryTimeHarp": [CLOCK + 0.5],
        "B_TrialStartTimeHarp": [CLOCK + 0.2, CLOCK + 1.2, CLOCK + 2.2],
        "B_TrialEndTimeHarp": [CLOCK + 1.0, CLOCK + 2.0],
        "B_GoCueTimeSoundCard": [CLOCK + 0.3, CLOCK + 1.3, CLOCK + 2.3],
        "B_AnimalResponseHistory": [0.0, 1.0],
        "B_RewardedHistory": [[True, False], [False, False]],
        **more,
    }
    (home / "behavior").mkdir(parents=True, exist_ok=True)
    (home / "behavior" / "712345_2026-11-05_10-00-00.json").write_text(json.dumps(said))
    return said


def bonsai(folder: Path, n=50, fibers=2, pulses=None, stamp="2024-06-05T08_25_33", **more) -> Path:
    """An acquisition folder of the earlier layout: header-less, milliseconds of the day."""
    home = folder / "behavior_700000_2024-06-05_08-25-33"
    (home / "fib").mkdir(parents=True, exist_ok=True)
    for k, light in enumerate(("G", "Iso", "R")):
        rows = bonsai_rows(n, fibers, k, **more)
        (home / "fib" / f"FIP_Data{light}_{stamp}.csv").write_text(rows)
    if pulses is not None:
        behavior(home, pulses)
    return home


def bonsai_rows(n, fibers, k, day=30_333_000.0, harp=False, header=False, zero=False) -> str:
    rows = []
    if header:
        names = ["SoftwareTS", *[f"ROI{f}" for f in range(fibers)], "Background"]
        rows.append(",".join(names + ["HarpTS"] * harp))
    for i in range(n):
        cells = [day + 50.0 * i + 3 * k]
        cells += [1000.0 * (k + 1) + 10 * f + i / 7 for f in range(fibers)]
        cells += [0.0] * (zero and k == 1) + [257.0 + 0.01 * i] + [CLOCK + 0.05 * i] * harp
        rows.append(",".join(f"{c:.6f}" for c in cells))
    return "\n".join(rows) + "\n"


# -- Neurophotometrics --------------------------------------------------------------------------


def npm_rows(
    n=60, state="LedState", clock="SystemTimestamp", lights=(1, 2, 4), dark=1
) -> list[str]:
    """Frames that go through the lights in turn after some without light."""
    rows = [f"FrameCounter,{clock},{state},Region0R,Region1G"]
    for i in range(n):
        bits = 0 if i < dark else lights[(i - dark) % len(lights)]
        bits += 16 + (256 if 20 <= i < 24 or 40 <= i < 41 else 0)
        t = (100 + i / 30) * (1000 if clock == "ComputerTimestamp" else 1)
        rows.append(f"{i},{t:.6f},{bits},{0.1 * (bits & 7) + i / 1000:.6f},{0.2 + i / 500:.6f}")
    return rows


def npm(folder: Path, **more) -> Path:
    (folder / "fp.csv").write_text("\n".join(npm_rows(**more)) + "\n")
    return folder / "fp.csv"


# -- pyPhotometry -------------------------------------------------------------------------------


def ppd(
    folder: Path, mode="2EX_2EM_pulsed", version="1.0", n=40, signals=2, header=None, **more
) -> Path:
    """Length, JSON, then one little-endian word a signal and sample; with baselines from 1.1 on."""
    said = {
        "subject_ID": "m1", "date_time": "2024-05-01T10:00:00", "mode": mode, "version": version,
        "sampling_rate": 130, "volts_per_division": [0.0001, 0.0002], "LED_current": [10, 10],
        "n_analog_signals": signals, "n_digital_signals": min(signals, 2), **more,
    }  # fmt: skip
    raw = json.dumps(said).encode() if header is None else header
    paired = version == "1.1" and "pulsed" in mode
    words = []
    for i in range(n):
        for k in range(signals):
            bit = int(i % 10 in (4, 5)) if k == 0 else int(i >= 30)
            words.append((1000 * (k + 1) + i) << 1 | bit)
            words += [100 << 1] * paired
    path = folder / "m1.ppd"
    path.write_bytes(struct.pack("<H", len(raw)) + raw + struct.pack(f"<{len(words)}H", *words))
    return path


def old_ppd(folder: Path) -> Path:
    """Before 2018: 42 bytes of fixed layout."""
    header = b"mouse7".ljust(12) + b"2018-02-03T10:11:12" + bytes([3])
    header += struct.pack("<H", 200) + struct.pack("<II", 101220, 101220)
    return ppd(folder, header=header)


# -- Doric --------------------------------------------------------------------------------------


def doric(folder: Path, console="FPConsole", series=("Series0001",)) -> Path:
    """As Doric Neuroscience Studio 6 lays it out."""
    t = np.arange(200) / 100
    with h5py.File(folder / "s.doric", "w") as file:
        file.attrs["SoftwareVersion"] = "6.3.2.0"
        for k, name in enumerate(series):
            home = file.create_group(f"DataAcquisition/{console}/Signals/{name}")
            for out in (1, 2):
                group = home.create_group(f"LockInAOUT0{out}")
                group["Time"] = t + 10 * k
                for channel in (1, 2):
                    data = group.create_dataset(f"AIN0{channel}", data=np.sin(t) + out + channel)
                    data.attrs["Username"] = f"Ch{channel}_{(420, 490)[out - 1]}"
            digital = home.create_group("DigitalIO")
            digital["Time"] = t + 10 * k
            digital["DIO01"] = (np.arange(200) % 50 == 10).astype(float)
            digital["DIO02"] = np.zeros(200)
        file["Configurations/FPConsole/x"] = np.zeros(3)
    return folder / "s.doric"


def doric5(folder: Path, traces=False) -> Path:
    """Studio 5: one group a channel with Values and Time, or a shared clock under Traces."""
    t = np.arange(100) / 50
    with h5py.File(folder / "old.doric", "w") as file:
        if traces:
            home = file.create_group("Traces/Console")
            home["Time(s)/Console_time(s)"] = t
            home["AIn-1 - Dem (AOut-1)/AIn-1 - Dem (AOut-1)"] = np.cos(t) + 2
            home["AIn-1 - Dem (AOut-2)/AIn-1 - Dem (AOut-2)"] = np.cos(t) + 3
            home["DI--O-1/DI--O-1"] = (np.arange(100) > 40).astype(float)
        else:
            home = file.create_group("DataAcquisition/FPConsole/Signals/Series0001")
            for name in ("AIN01xAOUT01-LockIn", "AIN02xAOUT02-LockIn"):
                home[f"{name}/Values"] = np.cos(t) + 2
                home[f"{name}/Time"] = t
    return folder / "old.doric"


# -- TDT ----------------------------------------------------------------------------------------


def tdt_block(folder: Path, chunks=6, size=64) -> Path:
    """A block as TDT's reader documents it: 40-byte headers in .tsq, samples in .tev.

    Store _405A: float, one channel; _2ch: float, two channels; epoc PtC0 with its own offsets.
    """
    block = folder / "mouse-260101-100000"
    block.mkdir()
    rate, start, samples = 1017.2526, 1_700_000_000.0, b""
    heads = [bytes(40), _tsq(0, 0, 1, 0, start, 0, 0, 0.0)]
    for c in range(chunks):
        at = start + c * size / rate
        for name, channel in ((b"_405A", 1), (b"_2ch", 1), (b"_2ch", 2)):
            data = np.arange(size, dtype="<f4") + 1000 * channel + c * size
            code = int.from_bytes(name[-4:], "little")
            heads.append(_tsq(size + 10, 0x8101, code, channel, at, len(samples), 0, rate))
            samples += data.tobytes()
    code, code_off = (int.from_bytes(x, "little") for x in (b"PtC0", b"PtC\\"))
    for k in range(3):
        at = start + 0.05 + 0.1 * k
        buddy = int.from_bytes(b"PtC0", "little")
        heads.append(_epoc(0x101, code, 0, at, float(k + 1)))
        heads.append(_epoc(0x102, code_off, buddy, at + 0.02, float(k + 1)))
    heads.append(_tsq(0, 0, 2, 0, start + chunks * size / rate, 0, 0, 0.0))
    (block / f"{block.name}.tsq").write_bytes(b"".join(heads))
    (block / f"{block.name}.tev").write_bytes(samples)
    return block


def _tsq(size, kind, code, channel, at, offset, form, rate) -> bytes:
    return struct.pack("<iiIHHdqif", size, kind, code, channel, 0, at, offset, form, rate)


def _epoc(kind, code, buddy, at, value) -> bytes:
    return struct.pack("<iiIIddif", 10, kind, code, buddy, at, value, 4, 0.0)


# -- suite2p, Phy -------------------------------------------------------------------------------


def suite2p(folder: Path, planes=1, rois=5, frames=80) -> Path:
    home = folder / "rat7" / "suite2p"
    for p in range(planes):
        plane = home / f"plane{p}"
        plane.mkdir(parents=True)
        for name in ("F", "Fneu", "spks"):
            np.save(plane / f"{name}.npy", RNG.normal(size=(rois, frames)).astype(np.float32))
        cells = np.c_[np.arange(rois) % 2, np.linspace(0, 1, rois)]
        np.save(plane / "iscell.npy", cells)
        (plane / "ops.npy").write_bytes(b"\x93NUMPY not to be opened")
        (plane / "stat.npy").write_bytes(b"\x93NUMPY not to be opened")
    return home.parent


def phy(folder: Path) -> Path:
    """Three clusters; 2 was merged from templates 0 and 1, 5 is noise and 7 without a label."""
    home = folder / "sorted"
    home.mkdir()
    samples = np.array([30, 60, 300, 900, 1500, 2400, 3000, 4500], dtype=np.uint64)
    np.save(home / "spike_times.npy", samples[:, None])
    np.save(home / "spike_clusters.npy", np.array([2, 5, 2, 7, 2, 5, 7, 2], dtype=np.int32))
    np.save(home / "spike_templates.npy", np.array([0, 2, 1, 3, 1, 2, 3, 1], dtype=np.uint32))
    waves = np.zeros((4, 6, 3), np.float32)
    for template, channel in enumerate((0, 2, 1, 1)):
        waves[template, 2, channel] = -5
    np.save(home / "templates.npy", waves)
    np.save(home / "channel_map.npy", np.array([[10], [11], [12]]))
    (home / "cluster_group.tsv").write_text("cluster_id\tgroup\n2\tgood\n5\tnoise\n")
    (home / "cluster_KSLabel.tsv").write_text("cluster_id\tKSLabel\n2\tmua\n5\tgood\n7\tmua\n")
    (home / "cluster_area.tsv").write_text("cluster_id\tbrain_area\n2\tCA1\n7\tCA3\n")
    (home / "params.py").write_text(
        "dat_path = ['x.bin']\nn_channels_dat = 3\nsample_rate = 30000.\n"
        "import pathlib\npathlib.Path('ran').touch()\n"
    )
    return home
