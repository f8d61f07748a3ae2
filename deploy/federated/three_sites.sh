#!/bin/sh
# A study of three sites on this machine: three_sites.sh TABLES [PORT], where TABLES has north.csv, south.csv and west.csv.
# It makes the folder "study" in the present one.
set -eu
tables=$1
address=127.0.0.1:${2:-8470}
plumbline-study create study --settings "$(dirname "$0")/settings.json" \
    --site north --site south --site west --address "$address"
for site in north south west; do
    plumbline-site join "study/$site.token" --table "$tables/$site.csv" --folder "study/at $site" --approve \
        > "study/$site.log" 2>&1 &
done
plumbline-study run study
wait
