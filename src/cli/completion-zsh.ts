import { firstWords, flagValues, groups, quoted, valueFlags, type Completed, type CompletedCommand } from './completion-table.ts';

const CALLS = { pipelines: '__pipe_pipelines', topics: '__pipe_topics', files: '_files', folders: '_files -/' } as const;

const call = (c: Completed): string => (c === null ? '_message value' : typeof c === 'string' ? CALLS[c] : `compadd -- ${c.join(' ')}`);

/** An entry of _describe. */
const described = (word: string, summary: string): string => quoted(`${word}:${summary.replaceAll(':', '\\:')}`);

function commandLines(c: CompletedCommand): string {
  const places = c.args.map((a, i) => `${i === c.args.length - 1 && c.more ? '(*)' : `(${i})`} ${call(a)} ;; `).join('');
  return `    (${quoted(c.name)})
      if [[ $PREFIX == -* ]]; then
        list=(${c.flags.map(f => described(`--${f.name}`, f.summary)).join(' ')})
        _describe -o flag list
        return
      fi
      ${places === '' ? '_message "no argument"' : `case $count in ${places}esac`} ;;\n`;
}

export function zshScript(table: readonly CompletedCommand[]): string {
  return `#compdef pipe sqlpipe
# Completion of pipe for zsh. In ~/.zshrc, after compinit:  source <(npx pipe completion zsh)

# *.yaml and folders, and the pipelines of the project by their names
__pipe_pipelines() {
  local dir=$PWD
  local -a names
  while [[ ! -d $dir/pipelines && $dir == ?*/* ]]; do dir=\${dir%/*}; done
  names=("$dir"/pipelines/*.yaml(N:t))
  [[ $PREFIX == */* || \${#names} -eq 0 ]] || compadd -a names
  _files -g '*.yaml'
}

# of the embedded log
__pipe_topics() {
  local -a names
  [[ -n $PIPE_BROKERS && $PIPE_BROKERS != none ]] && return
  names=(\${(f)"$($words[1] topics ls --json --brokers none 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4)"})
  compadd -a names
}

_pipe() {
  local command= prev=$words[CURRENT-1] word
  local -i count=0 i
  local -a list
  if [[ $PREFIX == --*=* ]]; then
    prev=\${PREFIX%%=*}
    compset -P '*='
  fi
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      (${valueFlags(table).join('|')}) ((i++)); continue ;;
      (-*) continue ;;
    esac
    case $command in
      ('') [[ $word == help ]] || command=$word ;;
      (${[...groups(table).keys()].join('|')}) command="$command $word" ;;
      (*) ((count++)) ;;
    esac
  done
  case "$command $prev" in
${flagValues(table).map(f => `    (${f.names.join('|')}) ${call(f.value)}; return ;;\n`).join('')}  esac
  case $command in
    ('')
      list=(${[...firstWords(table), ['help', 'says more about a command'] as const].map(([w, s]) => described(w, s)).join(' ')})
      _describe command list ;;
${[...groups(table)].map(([word, list]) => `    (${word})\n      list=(${list.map(([w, s]) => described(w, s)).join(' ')})\n      _describe command list ;;\n`).join('')}${table.map(commandLines).join('')}  esac
}

# as a file of fpath it is called at once
if [[ $funcstack[1] == _pipe ]]; then _pipe "$@"; else compdef _pipe pipe sqlpipe; fi
`;
}
