package slurm

import (
	"strings"
	"text/template"
)

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var arrayScript = template.Must(template.New("array").Funcs(template.FuncMap{"quote": quote}).Parse(`#!/bin/bash
#SBATCH --job-name={{.Name}}
#SBATCH --array=1-{{.Shares}}
#SBATCH --requeue
#SBATCH --signal=B:USR1@60
#SBATCH --open-mode=append
#SBATCH --output=slurm/%A_%a.log
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{.CPUs}}
{{- with .Partition}}
#SBATCH --partition={{.}}{{end}}
{{- with .Time}}
#SBATCH --time={{.}}{{end}}
{{- with .Memory}}
#SBATCH --mem={{.}}{{end}}
{{- with .GPUs}}
#SBATCH --gres=gpu:{{.}}{{end}}
{{- range .Options}}
#SBATCH {{.}}{{end}}
cd {{quote .Work}} || exit
share=$SLURM_ARRAY_TASK_ID/{{.Shares}}
begun={{quote .Dir}}/slurm/begun-$SLURM_ARRAY_TASK_ID
: > "$begun"
echo "share $share on $SLURMD_NODENAME, job ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID, requeued ${SLURM_RESTART_COUNT:-0} times, $(date '+%F %T')"
{{quote .Program}} study run {{quote .Study}} --share "$share" --out {{quote .Dir}} --jobs "${SLURM_CPUS_PER_TASK:-1}" --device {{.Device}} --cache {{quote .Cache}} --data {{quote .Data}}
{{- with .Every}} --checkpoint-every {{.}}{{end}}
{{- with .Board}} --tensorboard {{quote .}}{{end}} &
program=$!
# USR1 comes when the time is nearly over. TERM, from scancel, Slurm sends to the program too.
trap 'late=yes; kill -TERM $program' USR1
trap : TERM
code=0
wait $program || code=$?
while kill -0 $program 2>/dev/null; do
  code=0
  wait $program || code=$?
done
if [ -n "$late" ] && [ $code != 0 ]; then
  # Not again and again where one start's time is too short to keep anything.
  if [ -n "$(find {{quote .Dir}}/cells {{quote .Dir}}/training -type f -newer "$begun" -print -quit)" ]; then
    echo "the time is over: share $share is requeued and goes on from what is kept"
    scontrol requeue "$SLURM_JOB_ID"
  else
    echo "nothing was finished or kept in the time that the job has: submit it with a longer --time or a smaller --checkpoint-every"
  fi
fi
exit $code
`))

var reportScript = template.Must(template.New("report").Funcs(template.FuncMap{"quote": quote}).Parse(`#!/bin/bash
#SBATCH --job-name={{.Name}}-report
#SBATCH --open-mode=append
#SBATCH --output=slurm/%j.log
#SBATCH --ntasks=1
{{- with .Partition}}
#SBATCH --partition={{.}}{{end}}
{{- range .Options}}
#SBATCH {{.}}{{end}}
exec {{quote .Program}} study results {{quote .Dir}}
`))
