#!/usr/bin/env bash
# Builds the site: README.md, the pages of docs/, and the reference of include/. Fails at a warning, and at a link to
# nothing.
#   docs/build.sh [FOLDER]     begin with index.html there (build/site where none is named)
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
out=$(realpath --canonicalize-missing "${1:-$root/build/site}")
cd "$root"

mark=$out/.pellucid-site
if [ -e "$out" ] && [ ! -e "$mark" ] && [ -n "$(ls --almost-all "$out")" ]; then
  echo "$out holds something else than a site; give a folder that is new or empty." >&2
  exit 1
fi
rm --recursive --force "$out"
mkdir --parents "$out"
touch "$mark"

# The types of the library: what stands at the left margin of namespace pellucid.
PELLUCID_TYPES=$(find include -name '*.hpp' -exec awk '
  /^namespace / { inside = $2 == "pellucid" }
  /^}  \/\/ namespace / { inside = $4 != "pellucid" }
  inside && /^(struct|class|concept|enum class|using) [A-Z]/ { sub(/^enum /, ""); sub(/[;:]$/, "", $2); print $2 }' {} + |
  sort --unique | tr '\n' ' ')
export PELLUCID_TYPES

warnings=$(mktemp)
trap 'rm --force "$warnings"' EXIT
{
  cat docs/Doxyfile
  echo "OUTPUT_DIRECTORY = \"$out\""
  echo "INPUT += README.md CONTRIBUTING.md docs"
} | doxygen - 2>&1 | tee "$warnings" >&2
# A filter that fails is nothing to Doxygen.
[ ! -s "$warnings" ] || { echo "The site has warnings." >&2; exit 1; }

# SmoothGrad, not "pellucid::SmoothGrad Struct Reference" nor "SmoothGrad (pellucid)".
find "$out" -name '*.js' -exec sed --in-place 's/\[ "pellucid::/[ "/' {} +
find "$out" -name '*.html' -exec sed --in-place --regexp-extended \
  's/(<div class="title">)(pellucid::)?([^<]*[^<e]) (Struct|Class)( Template)? Reference/\1\3/; s/(<div class="title">)pellucid::/\1/
   s/ \(<a class="el" href="namespacepellucid.html">pellucid<\/a>\)//g' {} +

# The pictures, and other files that the pages link to.
links() {
  grep --no-filename --only-matching --extended-regexp '(href|src)="[^"#]+' "$out"/*.html |
    sed 's/.*="//; /:/d' | sort --unique
}
links | sed --quiet 's/^files\///p' | while read -r file; do
  mkdir --parents "$out/files/$(dirname "$file")"
  cp "$file" "$out/files/$file"
done
links | while read -r file; do
  [ -e "$out/$file" ] || { echo "The site has a link to $file, which is not there." >&2; exit 1; }
done
echo "The site: $out/index.html"
