# NixOS: ocjail for everybody, and the organisation's configuration.
{ overlay }:
{
  pkgs,
  lib,
  config,
  ...
}:
let
  cfg = config.programs.ocjail;
in
{
  options.programs.ocjail = {
    enable = lib.mkEnableOption "ocjail, which checks the jails of LLM agents before they start";
    package = lib.mkOption {
      type = lib.types.package;
      default = (pkgs.extend overlay).ocjail;
      defaultText = lib.literalExpression "ocjail of this flake";
      example = lib.literalExpression "pkgs.ocjail";
      description = "The ocjail to install.";
    };
    config = lib.mkOption {
      type = lib.types.nullOr (lib.types.either lib.types.path lib.types.lines);
      default = null;
      example = ''
        rule "exec/host-executed-writable" {
          severity = "error"
        }
      '';
      description = "The organisation's configuration, `/etc/ocjail/ocjail.hcl`: a file, or its text. Users and projects can only tighten it.";
    };
    pull = lib.mkEnableOption "`ocjail bundle pull --system` each hour, for the bundles that the configuration has fetched";
  };
  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc = lib.mkIf (cfg.config != null) {
      "ocjail/ocjail.hcl" =
        # // begins a comment in HCL.
        if builtins.isPath cfg.config || builtins.match "/[^/].*" cfg.config != null then
          { source = cfg.config; }
        else
          { text = cfg.config; };
    };
    systemd = lib.mkIf cfg.pull {
      services.ocjail-bundles = {
        description = "Fetch the organisation's bundles of rules for ocjail";
        wants = [ "network-online.target" ];
        after = [ "network-online.target" ];
        serviceConfig = {
          Type = "oneshot";
          ExecStart = "${cfg.package}/bin/ocjail bundle pull --system";
          TimeoutStartSec = "10min";
          StateDirectory = "ocjail";
          ProtectSystem = "strict";
          PrivateTmp = true;
          NoNewPrivileges = true;
        };
      };
      timers.ocjail-bundles = {
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = "hourly";
          RandomizedDelaySec = "30min";
          Persistent = true;
        };
      };
    };
  };
}
