import { firstWords, flagValues, groups, quoted, valueFlags, type Completed, type CompletedCommand } from './completion-table.ts';

const CALLS = { pipelines: '__pipe_pipelines', topics: '__pipe_topics', files: '__pipe_files', folders: '__pipe_folders' } as const;

const call = (c: Completed): string => (c === null ? ':' : typeof c === 'string' ? CALLS[c] : `__pipe_words ${quoted(c.join(' '))}`);

const flagWords = (c: CompletedCommand): string => c.flags.map(f => `--${f.name}`).join(' ');

function commandLines(c: CompletedCommand): string {
  const places = c.args.map((a, i) => {
    const last = i === c.args.length - 1 && c.more;
    return `${last ? '*' : i}) ${call(a)} ;; `;
  }).join('');
  return `    ${quoted(c.name)})
      if [[ $cur == -* ]]; then __pipe_words ${quoted(flagWords(c))}; return; fi
      ${places === '' ? ':' : `case $count in ${places}esac`} ;;\n`;
}

/** For bash 4 and newer; without the package bash-completion. */
export function bashScript(table: readonly CompletedCommand[]): string {
  return `# Completion of pipe for bash. In ~/.bashrc:  source <(npx pipe completion bash)

__pipe_words() { COMPREPLY+=($(compgen -W "$1" -- "$cur")); }

# names with blanks and quotes come out as they have to be typed
__pipe_names() { compopt -o filenames 2>/dev/null; }

__pipe_files() { __pipe_names; local f; while IFS= read -r f; do COMPREPLY+=("$f"); done < <(compgen -f -- "$cur"); }

__pipe_folders() { __pipe_names; local f; while IFS= read -r f; do COMPREPLY+=("$f"); done < <(compgen -d -- "$cur"); }

# *.yaml and folders, and the pipelines of the project by their names
__pipe_pipelines() {
  __pipe_names
  local f dir=$PWD typed
  while IFS= read -r f; do
    if [[ -d $f || $f == *.yaml ]]; then COMPREPLY+=("$f"); fi
  done < <(compgen -f -- "$cur")
  [[ $cur == */* ]] && return
  while [[ ! -d $dir/pipelines && $dir == ?*/* ]]; do dir=\${dir%/*}; done
  printf -v typed '%b' "\${cur//\\\\ / }"
  typed=\${typed#[\\"\\']}
  for f in "$dir"/pipelines/*.yaml; do
    f=\${f##*/}
    if [[ $f != '*.yaml' && $f == "$typed"* && ! -e $f ]]; then COMPREPLY+=("$f"); fi
  done
}

# of the embedded log
__pipe_topics() {
  [[ -n $PIPE_BROKERS && $PIPE_BROKERS != none ]] && return
  __pipe_words "$("\${COMP_WORDS[0]}" topics ls --json --brokers none 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4)"
}

_pipe() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= count=0 i word
  COMPREPLY=()
  # bash takes --flag=value apart
  if [[ $cur == '=' ]]; then cur=; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${valueFlags(table).join(' | ')}) if [[ \${COMP_WORDS[i+1]} == '=' ]]; then ((i += 2)); else ((i++)); fi; continue ;;
      -* | '=') continue ;;
    esac
    case $command in
      '') [[ $word == help ]] || command=$word ;;
      ${[...groups(table).keys()].join(' | ')}) command="$command $word" ;;
      *) ((count++)) ;;
    esac
  done
  case "$command $prev" in
${flagValues(table).map(f => `    ${f.names.join(' | ')}) ${call(f.value)}; return ;;\n`).join('')}  esac
  case $command in
    '') __pipe_words ${quoted([...firstWords(table).map(([w]) => w), 'help', '--help', '--version'].join(' '))} ;;
${[...groups(table)].map(([word, list]) => `    ${word}) __pipe_words ${quoted(list.map(([w]) => w).join(' '))} ;;\n`).join('')}${table.map(commandLines).join('')}  esac
}

complete -F _pipe pipe sqlpipe
`;
}
