# Doxygen's view of a page. The pages are written for GitHub; this gives the headings their anchors as GitHub does, and
# makes of links
#   - between pages, with or without a heading (attacks.md#epsilon), Doxygen's: one that leads nowhere is a warning
#   - of the main page to another, its place in the tree
#   - to other files of the project, and to pictures, links to files/…, which build.sh copies
# Names of types become links to the reference. No line is added or taken away.

# GitHub's anchor of a heading, less what is no ASCII.
function slug(text) {
  gsub(/\]\([^)]*\)/, "", text)
  text = tolower(text)
  gsub(/[^a-z0-9 _-]/, "", text)
  gsub(/ /, "-", text)
  return text
}

function id_of(file) {
  sub(/.*\//, "", file)
  sub(/\.md$/, "", file)
  return file == "README" ? "index" : tolower(file)
}

# Text without what are commands to Doxygen, which also knows no bold `code`. Bold may go on in the next line.
function plain(line,    parts, n, i) {
  if (line ~ /^ *$/) bold = 0
  n = split(line, parts, "`")
  line = ""
  for (i = 1; i <= n; ++i) {
    if (i % 2 == 1) {
      gsub(/@/, "\\\\@", parts[i])
      while (sub(/\*\*/, bold ? "</b>" : "<b>", parts[i])) bold = !bold
    }
    line = line (i > 1 ? "`" : "") parts[i]
  }
  return line
}

# Text within <code>.
function code(text) {
  gsub(/&/, "\\&amp;", text)
  gsub(/</, "\\&lt;", text)
  gsub(/>/, "\\&gt;", text)
  gsub(/[*_@\[]/, "\\\\&", text)
  return text
}

# Types of the library in `code`, as links to the reference. PELLUCID_TYPES has their names.
function with_types(line,    parts, n, i, name, rest) {
  n = split(line, parts, "`")
  line = parts[1]
  for (i = 2; i <= n; i += 2) {
    match(parts[i], /^[A-Za-z0-9]*/)
    name = substr(parts[i], 1, RLENGTH)
    rest = substr(parts[i], RLENGTH + 1)
    if (i < n && (name in types) && rest ~ /^([<{(].*)?$/ && parts[i - 1] !~ /\[[^]]*$/)
      line = line "<code>@ref pellucid::" name " \"" name "\"" code(rest) "</code>"
    else
      line = line "`" parts[i] (i < n ? "`" : "")
    line = line parts[i + 1]
  }
  return line
}

# A path, seen from the project's root.
function from_root(path) {
  sub(/^\.\//, "", path)
  if (in_docs && !sub(/^\.\.\//, "", path)) path = "docs/" path
  return path
}

# The target of a link in Doxygen's words, or "" for one that stays.
function target_of(link,    page, hash) {
  if (link ~ /^[a-z]+:/) return ""
  hash = index(link, "#")
  page = hash ? substr(link, 1, hash - 1) : link
  if ((page == "" ? id : id_of(page)) == "index") return "@ref index"  # its headings have no anchors
  if (page == "" || from_root(page) ~ /^((README|CONTRIBUTING)|docs\/[^\/]*)\.md$/)
    return "@ref " (page == "" ? id : id_of(page)) (hash ? "--" slug(substr(link, hash + 1)) : "")
  return "files/" from_root(page)
}

function with_links(line,    result, start, link, target, text, words) {
  result = ""
  while (match(line, /\]\([^() ]+\)/)) {
    start = RSTART
    link = substr(line, RSTART + 2, RLENGTH - 3)
    target = target_of(link)
    text = substr(line, 1, start - 1)
    line = substr(line, start + RLENGTH)
    if (match(text, /!\[[^]]*$/)) {  # a picture
      result = result substr(text, 1, RSTART - 1) "<img src=\"" target "\" alt=\"" substr(text, RSTART + 2) "\"/>"
    } else if (target == "") {  # elsewhere
      result = result text "](" link ")"
    } else if (target ~ /\/$/) {  # a folder
      match(text, /\[[^[]*$/)
      result = result substr(text, 1, RSTART - 1) substr(text, RSTART + 1)
    } else if (id == "index" && target ~ /^@ref/ && target !~ /--|index/ && !(target in placed) && match(text, /\[[^[]*$/)) {
      placed[target] = 1
      sub(/^@ref/, "@subpage", target)
      result = result substr(text, 1, RSTART - 1) target " \"" substr(text, RSTART + 1) "\""
    } else {  # Doxygen shows the marks of code in the words of a link
      match(text, /\[[^[]*$/)
      words = substr(text, RSTART)
      if (target ~ /^@ref/) gsub(/`/, "", words)
      result = result substr(text, 1, RSTART - 1) words "](" target ")"
    }
  }
  return result line
}

BEGIN {
  count = split(ENVIRON["PELLUCID_TYPES"], names, " ")
  for (i = 1; i <= count; ++i) types[names[i]]
}
FNR == 1 {
  id = id_of(FILENAME)
  in_docs = FILENAME !~ /(README|CONTRIBUTING)\.md$/
  in_code = bold = 0
}
/^ *(```|~~~)/ { in_code = !in_code }
in_code { print; next }
/^# / && id != "index" { print with_links($0) " {#" id "}"; next }
/^##+ / && id != "index" {
  title = $0
  sub(/^#+ */, "", title)
  title = id "--" slug(title)
  print with_links($0) " {#" title (seen[title]++ ? "-" (seen[title] - 1) : "") "}"
  next
}
/^#/ { print with_links($0); next }
{ print with_types(with_links(plain($0))) }
