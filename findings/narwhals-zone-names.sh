#!/usr/bin/env bash
# narwhals: times of pandas in America/New_York are of a type that it does not know.
#
# Versions: narwhals 2.29.0, pandas 3.1.1
# Expected: Datetime with its time zone, as it gives for times in Europe/Berlin.
# Seen:     Unknown, because of the underscore: narwhals reads the zone off the name of pandas'
#           type by a pattern of letters and slashes, whose comment names this very zone as an
#           example. A hyphen in a name or a digit has the same effect.
# Output:
#   narwhals 2.29.0 on pandas 3.1.1
#   datetime64[us, Europe/Berlin]            Datetime(time_unit='us', time_zone='Europe/Berlin')
#   datetime64[us, America/New_York]         Unknown
#   datetime64[us, America/Port-au-Prince]   Unknown
#   datetime64[us, Etc/GMT+5]                Unknown
#   As described: three of four zones are unknown.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  narwhals==2.29.0 pandas==3.1.1 numpy==2.4.6
"$python" - <<'END'
import narwhals as nw
import pandas as pd

print("narwhals", nw.__version__, "on pandas", pd.__version__)
seen = {}
for zone in ("Europe/Berlin", "America/New_York", "America/Port-au-Prince", "Etc/GMT+5"):
    frame = pd.DataFrame({"time": pd.to_datetime(["2024-01-31"]).tz_localize(zone)})
    seen[zone] = nw.from_native(frame).schema["time"]
    print(f"{frame['time'].dtype!s:<40} {seen[zone]!r}")

assert seen.pop("Europe/Berlin") == nw.Datetime("us", "Europe/Berlin")
known = [zone for zone, dtype in seen.items() if dtype != nw.Unknown]
if known:
    raise SystemExit(f"CHANGED: narwhals now knows {known}.")
print("As described: three of four zones are unknown.")
END
