"""Writes a CSV file as Parquet, as pandas and pyarrow do.

python to_parquet.py IN.csv OUT.parquet CODEC ROWS_PER_GROUP
"""

import sys

import pandas as pd

source, out, codec, rows = sys.argv[1:]
frame = pd.read_csv(source)
frame.to_parquet(out, compression=None if codec == "none" else codec, row_group_size=int(rows))
