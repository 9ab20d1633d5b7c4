#!/usr/bin/env bash
# PySpark: a datetime without a zone, as a literal, is in the zone of the computer.
#
# Versions: pyspark 4.3.0, on Java 17 or later (450 MB are downloaded)
# Expected: noon is noon in the zone of the session, spark.sql.session.timeZone, as in SQL; or noon
#           without a zone, to be compared with a column without one (timestamp_ntz).
# Seen:     lit(datetime(2024, 1, 31, 12)) is noon where the Python process runs, in New York five
#           hours later, and does not equal noon in either kind of column: the same query counts
#           other rows on another computer.
# Output:
#   pyspark 4.3.0 in New York, with a session in UTC
#   noon as a literal: 2024-01-31 17:00:00
#   equals noon in SQL: False
#   equals noon in a column without a zone: False
#   As described: the literal is five hours late.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check --no-cache-dir \
  pyspark==4.3.0
TZ=America/New_York "$python" - <<'END'
from datetime import datetime

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, lit

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
print("pyspark", pyspark.__version__, "in New York, with a session in UTC")
noon = lit(datetime(2024, 1, 31, 12))
times = spark.sql(
    "select timestamp '2024-01-31 12:00:00' as aware, timestamp_ntz '2024-01-31 12:00:00' as plain"
)
shown, *equal = times.select(
    noon.cast("string"), noon == col("aware"), noon == col("plain")
).first()
spark.stop()
print("noon as a literal:", shown)
print("equals noon in SQL:", equal[0])
print("equals noon in a column without a zone:", equal[1])

if shown != "2024-01-31 17:00:00" or any(equal):
    raise SystemExit("CHANGED: the literal no longer depends on the zone of the computer.")
print("As described: the literal is five hours late.")
END
