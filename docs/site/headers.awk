# Doxygen's view of a header. The headers are written to be read as they are; this says the rest in Doxygen's words:
#   - the folder of a header is its group (reference.dox)
#   - `namespace detail` is not there
#   - indented lines of a docstring are a formula or code: shown as they stand
#   - members that every method, stage, objective or part of a regularizer has (check, run, …) are shown where they
#     have a docstring of their own
#   - what is no class tells its header, as classes do by themselves
#   - the name of a template with its arguments (SmoothGrad) is a class of its own, with all that it inherits
# No line is added or taken away, so that a warning names the line of the header.

function group_of(file) {
  sub(/.*include\/pellucid\//, "", file)
  if (!sub(/\/[^\/]*$/, "", file)) return ""
  if (file == "model/script") return "model"  # all detail
  gsub(/\//, "_", file)
  return file
}

# Text in which a word is a link only where it is meant as a name: not where a sentence begins with it ("Layer by
# layer"). PELLUCID_TYPES has the names. `begins`: whether a sentence begins with the text; afterwards, whether one
# begins behind it.
function as_prose(text,    words, n, i, word, result, in_code) {
  if (text ~ /^ *$/) begins = 1
  n = split(text, words, " ")
  match(text, /^ */)
  result = substr(text, 1, RLENGTH)
  for (i = 1; i <= n; ++i) {
    word = words[i]
    if (begins && !in_code && match(word, /^[("]*[A-Z][a-z]+/) && word !~ /[<{(`:]/) {
      match(word, /[A-Z][a-z]+/)
      if (substr(word, RSTART, RLENGTH) in types) word = substr(word, 1, RSTART - 1) "%" substr(word, RSTART)
    }
    if (!in_code && word ~ /^L2[.,;:)]*$/) word = "%" word  # the norm
    if (gsub(/`/, "`", word) % 2) in_code = !in_code
    begins = word ~ /[.?!]["*)]*$/
    result = result (i > 1 ? " " : "") word
  }
  return result (n > 0 && text ~ / $/ ? " " : "")
}

# Text without Markdown's lists, quotations and emphasis where none is meant: "2017." or > at its beginning, a_cyx.
function plain(text,    parts, n, i) {
  text = as_prose(text)
  if (match(text, /^ *[0-9]+\./)) text = substr(text, 1, RLENGTH - 1) "\\" substr(text, RLENGTH)
  sub(/^ *>/, " \\>", text)
  n = split(text, parts, "`")
  text = ""
  for (i = 1; i <= n; ++i) {
    if (i % 2 == 1) gsub(/[_*]/, "\\\\&", parts[i])
    text = text (i > 1 ? "`" : "") parts[i]
  }
  return text
}

function is_indented(line) { return line ~ /^   / }

# The docstring in front of the declaration `of`; `is_class`: which tells its header by itself.
function print_docstring(of, is_class,    i, from, to, code, text, brief) {
  if (of == "") {  # of the file
    for (i = 1; i <= lines; ++i) print "//"
    lines = 0
    return
  }
  brief = begins = 1
  for (i = 1; i <= lines; ++i) {
    if (!is_indented(docstring[i])) {
      text = plain(docstring[i])
      # What is listed is the first sentence, or what stands before the first formula.
      brief = brief && text !~ /[.!?]( |$)/ && text != ""
      if (brief && is_indented(docstring[i + 1])) sub(/[,:]?$/, ".", text)
    } else {
      begins = 1
      for (from = to = i; to < lines && is_indented(docstring[to + 1]);) ++to
      for (code = 0; i <= to; ++i) code = code || docstring[i] ~ /[;{](  .*)?$|…$/
      for (i = from; i < to; ++i)
        print (i > 1 ? "" : indent "/** ") (i > from ? "" : code ? "@code{.cpp} " : "@verbatim ") substr(docstring[i], 4)
      text = (from < to ? "" : code ? "@code{.cpp} " : "@verbatim ") substr(docstring[to], 4) \
             (code ? " @endcode" : " @endverbatim")
      brief = 0
    }
    if (i == lines && indent == "" && !is_class) text = text " @header{" header "}"
    print (i > 1 ? "" : indent "/** ") text (i < lines ? "" : " */")
  }
  lines = 0
  docstring[1] = ""
}

# Members that say nothing of their own: what they do is said of all that have them, in the concepts and in docs/.
function is_convention(line) {
  if (line ~ /^[A-Z][A-Za-z]*\(.*\) -> /) return 1
  if (line !~ /^  [^ ]/ || line ~ /^  return /) return 0
  return line ~ /operator(\(\)|==)\(/ || line ~ /\) = delete;/ || line ~ /^ +~/ || line ~ /^  [A-Z].*\/\/ NOLINT/ ||
         line ~ /^  [A-Za-z][A-Za-z0-9_:<>& ]* (check|run|select|resolve|fitted|after|shown|penalty|forward|variants)\(/ ||
         line ~ /^  [A-Za-z]* step\(const Tensor& gradient/ || line ~ /^  explicit [A-Za-z0-9]*Impl\(/ ||
         line ~ /constexpr (bool takes|std::int64_t work|const char\* family)/ || line ~ /^  struct State \{/ ||
         line ~ /^  using (Gives|Parameterization|Options|Fit|PathOf) =/
}

# `T a = 0, b = 0;  ///< text`, which is Doxygen's for b alone, as two declarations with the text.
function one_by_one(line, documented,    text, type, names, n, i, result) {
  if (line !~ /^  [A-Za-z_:<>0-9]+ [a-z_]+( = [^,;(]+|\{\})(, [a-z_]+( = [^,;(]+|\{\}))+;( |$)/) return line
  if (!match(line, /\/\/\/< .*/) && !documented) return line
  text = RLENGTH > 0 ? substr(line, RSTART + 5) : "As the one before."
  sub(/; *(\/\/\/<.*)?$/, "", line)
  match(line, /^ +[^ ]+ /)
  type = substr(line, 1, RLENGTH)
  n = split(substr(line, RLENGTH + 1), names, ", ")
  for (i = 1; i <= n; ++i) result = result type names[i] ";" (i == 1 && documented ? "" : " /**< " text " */")
  return result
}

BEGIN {
  count = split(ENVIRON["PELLUCID_TYPES"], names, " ")
  for (i = 1; i <= count; ++i) types[names[i]]
}
FNR == 1 {
  header = FILENAME
  sub(/.*include\//, "", header)
  group = group_of(FILENAME)
  lines = held = open = 0
}

/^ *\/\/\/( |$)/ && !held {
  match($0, /^ */)
  indent = substr($0, 1, RLENGTH)
  docstring[++lines] = substr($0, RLENGTH + 4)
  next
}

# `template <…>` belongs to what follows.
/^ *template </ || open {
  template[++held] = $0
  text = $0
  open += gsub(/</, "", text)
  open -= gsub(/>/, "", text)
  if (/[;{}]$/) open = 0
  if (!/[;{}]$/) next
}

{
  line = held && $0 == template[held] ? template[held--] : $0
  if (line ~ /^using [A-Z][A-Za-z]* = [A-Z][A-Za-z]*<[A-Z][A-Za-z0-9]*>;$/) {
    sub(/^using /, "struct ", line)
    sub(/ = /, " : ", line)
    sub(/<.*/, " {};", line)  # of the template, not of its instance, of which Doxygen forgets the default values
  }
  if (match(line, /\/\/\/< /)) line = substr(line, 1, RSTART + 3) plain(substr(line, RSTART + 4))
  documented = lines > 0
  if (documented) print_docstring(line, line ~ /^(struct|class|concept) /)
  if (!documented && is_convention(line)) printf "/** @private */"
  if (!documented && line ~ /^  static [A-Za-z0-9]*Options [a-z0-9_]*\(\) \{/)
    printf "/** The shape that is published under this name. */"
  for (i = 1; i <= held; ++i) print template[i]
  line = one_by_one(line, documented)
  held = 0
  if (line ~ /^namespace (pellucid::)?detail \{/) line = "/** @cond */ " line
  if (line ~ /^}  \/\/ namespace (pellucid::)?detail$/) line = "} /** @endcond */"
  if (group != "" && line ~ /^namespace pellucid \{/) line = line " /** @addtogroup " group " */ /** @{ */"
  if (group != "" && line ~ /^}  \/\/ namespace pellucid$/) line = "/** @} */ " line
  print line
}
