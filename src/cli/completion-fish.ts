import { firstWords, groups, valueFlags, type Completed, type CompletedCommand } from './completion-table.ts';

const CALLS = { pipelines: '(__pipe_pipelines)', topics: '(__pipe_topics)', files: '', folders: '(__fish_complete_directories (commandline -ct))' } as const;

/** A text in single quotes of fish. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** What is offered, as arguments of `complete`. */
const offered = (c: Completed): string => (c === 'files' ? ' -F' : c === null ? '' : ` -a ${quoted(typeof c === 'string' ? CALLS[c] : c.join(' '))}`);

function lines(c: CompletedCommand): string[] {
  const at = (more: string): string => `complete -c pipe -n ${quoted(`__pipe_at ${more}`)}`;
  const name = `"${c.name}"`;
  const args = c.args.map((a, i) => `${at(`${name} ${i}${i === c.args.length - 1 && c.more ? ' more' : ''}`)}${offered(a)}`).filter((_, i) => c.args[i] !== null);
  const flags = c.flags.map(f => `${at(name)}${f.short === null ? '' : ` -s ${f.short}`} -l ${f.name} -d ${quoted(f.summary)}${f.value === undefined ? '' : `${f.value === 'files' ? ' -r' : ' -x'}${offered(f.value)}`}`);
  return [...args, ...flags];
}

export function fishScript(table: readonly CompletedCommand[]): string {
  const first = [...firstWords(table), ['help', 'says more about a command'] as const];
  const words = [...first.map(([w, s]) => ['""', w, s] as const), ...[...groups(table)].flatMap(([g, list]) => list.map(([w, s]) => [g, w, s] as const))];
  return `# Completion of pipe for fish. In ~/.config/fish/config.fish:  npx pipe completion fish | source

# the command that is typed so far, and the number of its arguments
function __pipe_typed
    set -l words (commandline -opc)[2..-1]
    set -l command
    set -l count 0
    set -l skip 0
    for word in $words
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch $word
            case ${valueFlags(table).join(' ')}
                set skip 1
                continue
            case '-*'
                continue
        end
        if test -z "$command"
            test "$word" = help; or set command $word
        else if contains -- "$command" ${[...groups(table).keys()].join(' ')}
            set command "$command $word"
        else
            set count (math $count + 1)
        end
    end
    echo $command
    echo $count
end

function __pipe_at
    set -l typed (__pipe_typed)
    test "$typed[1]" = "$argv[1]"; or return 1
    test (count $argv) -lt 2; and return 0
    test $typed[2] -eq $argv[2]; and return 0
    test (count $argv) -gt 2; and test $typed[2] -gt $argv[2]
end

# *.yaml and folders, and the pipelines of the project by their names
function __pipe_pipelines
    set -l dir $PWD
    while not test -d $dir/pipelines; and test $dir != /
        set dir (dirname $dir)
    end
    string match -r '.*(?:\\.yaml|/)(?:\\t.*)?$' -- (complete -C "'' "(commandline -ct))
    string match -q '*/*' -- (commandline -ct); and return
    for file in $dir/pipelines/*.yaml
        basename $file
    end
end

# of the embedded log
function __pipe_topics
    test -n "$PIPE_BROKERS"; and test "$PIPE_BROKERS" != none; and return
    set -l command (commandline -opc)[1]
    $command topics ls --json --brokers none 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4
end

complete -c pipe -f
complete -c sqlpipe -w pipe
${words.map(([at, w, s]) => `complete -c pipe -n ${quoted(`__pipe_at ${at}`)} -a ${w} -d ${quoted(s)}`).join('\n')}
complete -c pipe -n '__pipe_at ""' -l help -d 'says what there is'
complete -c pipe -n '__pipe_at ""' -l version -d 'which pipe this is'
${table.flatMap(lines).join('\n')}
`;
}
