import { Argument, Command } from 'commander';
import type { Frame } from '../action';

// Each asks `disksnap complete`, which knows commands, options, guests and snapshots; where it says nothing, files are meant.
const SCRIPTS = {
  bash: `# disksnap completion bash > /etc/bash_completion.d/disksnap
_disksnap() {
  local line=\${COMP_LINE:0:COMP_POINT} words candidate
  # xargs takes quotes and backslashes away, and runs nothing that the line holds.
  mapfile -t words < <(xargs printf '%s\\n' <<<"$line" 2>/dev/null)
  [[ $line == *[[:space:]] && $line != *\\\\[[:space:]] ]] && words+=('')
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("$(printf %q "$candidate")")
  done < <(disksnap complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _disksnap disksnap`,
  zsh: `#compdef disksnap
# disksnap completion zsh > "\${fpath[1]}/_disksnap"
_disksnap() {
  local -a candidates
  candidates=(\${(f)"$(disksnap complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#candidates )); then compadd -a candidates; else _files; fi
}
if [[ $funcstack[1] == _disksnap ]]; then _disksnap "$@"; else compdef _disksnap disksnap; fi`,
  fish: `# disksnap completion fish > ~/.config/fish/completions/disksnap.fish
function __disksnap_complete
  set --local words (commandline --current-process --tokenize --cut-at-cursor)
  set --local current (commandline --current-token --cut-at-cursor)
  set --local candidates (disksnap complete -- $words[2..-1] (string unescape -- "$current") 2>/dev/null)
  if set --query candidates[1]
    printf '%s\\n' $candidates
  else
    __fish_complete_path "$current"
  end
end
complete --command disksnap --no-files --arguments '(__disksnap_complete)'`,
} as const;
type Shell = keyof typeof SCRIPTS;

export const completionCommand = (frame: Frame): Command =>
  new Command('completion')
    .summary('a script that makes the shell complete commands, options, guests and snapshots')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .action(
      frame<[Shell], object>(async ({ output }, [shell]) => {
        const script = SCRIPTS[shell];
        output.result({ shell, script }, () => script);
        return undefined;
      }),
    );
