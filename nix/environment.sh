# Writes the environment that a shell with the packages has, as bash code that
# leaves alone what the jail sets itself.
#
# Lower-case names are the derivation's attributes; these belong to the build,
# or to the host that built.
belongs_elsewhere() {
  case $1 in
    [!A-Z]* | HOME | USER | LOGNAME | HOSTNAME | SHELL | CONFIG_SHELL | TERM | LANG | LC_* | TZ | PWD | OLDPWD | SHLVL) ;;
    TMP | TMPDIR | TEMP | TEMPDIR | XDG_DATA_DIRS | HOST_PATH | IN_NIX_SHELL | SSL_CERT_FILE | SSL_CERT_DIR) ;;
    NIX_BUILD_TOP | NIX_BUILD_CORES | NIX_STORE | NIX_LOG_FD | NIX_REMOTE | NIX_CONFIG | NIX_SSL_CERT_FILE | NIX_ATTRS_*) ;;
    NIX_ENFORCE_PURITY | NIX_ENFORCE_NO_NATIVE | NIX_INDENT_MAKE | OUTPUTS) ;;
    SOURCE_DATE_EPOCH | DETERMINISTIC_BUILD | PYTHONHASHSEED | PYTHONNOUSERSITE | ZERO_AR_DATE | GZIP_NO_TIMESTAMPS) ;;
    BASH_* | BASHOPTS | SHELLOPTS | LINES | COLUMNS | PS4) ;;
    *) return 1 ;;
  esac
}

env -0 | sort -z | while IFS='=' read -r -d '' name value; do
  if belongs_elsewhere "$name" || [[ $value == *"$NIX_BUILD_TOP"* ]]; then
    continue
  elif [[ $name == PATH ]]; then
    printf 'export PATH=%q${PATH:+:$PATH}\n' "$value"
  else
    printf '[[ -v %s ]] || export %s=%q\n' "$name" "$name" "$value"
  fi
done >"$out"
