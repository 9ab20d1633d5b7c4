#!/usr/bin/env bash
# narwhals: the time zone of a Spark session is remembered when it has long been changed.
#
# Versions: narwhals 2.29.0, pyspark 4.3.0, on Java 17 or later (450 MB are downloaded)
# Expected: times of Spark are in the zone of their session, spark.sql.session.timeZone, which can
#           be changed at any time. The schema names the zone of now.
# Seen:     the schema names the zone in which it was first asked for, of frames made later too,
#           while the hours of the same times are those of the new zone.
# Output:
#   narwhals 2.29.0 on pyspark 4.3.0
#   the session is in UTC: the schema says UTC, a clock shows 12:00
#   the session is in Asia/Tokyo: the schema says UTC, a clock shows 21:00
#   As described: the schema names the first zone, and the hours are those of the second.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check --no-cache-dir \
  narwhals==2.29.0 pyspark==4.3.0
"$python" - <<'END'
import narwhals as nw
import pyspark
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.log.level", "ERROR")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .getOrCreate()
)
print("narwhals", nw.__version__, "on pyspark", pyspark.__version__)
seen = []
for zone in ("UTC", "Asia/Tokyo"):
    spark.conf.set("spark.sql.session.timeZone", zone)
    frame = nw.from_native(spark.sql("select timestamp '2024-01-31 12:00:00Z' as time"))
    named = frame.collect_schema()["time"].time_zone
    hour = frame.select(nw.col("time").dt.hour()).to_native().first()[0]
    print(f"the session is in {zone}: the schema says {named}, a clock shows {hour}:00")
    seen.append((named, hour))
spark.stop()

assert [hour for _, hour in seen] == [12, 21]
if seen[1][0] != "UTC":
    raise SystemExit("CHANGED: the schema names the new zone.")
print("As described: the schema names the first zone, and the hours are those of the second.")
END
