// A study, one job a run: dispatch → flatten → worker → collect. Each process is this capsule in one
// of its modes, run as Code Ocean runs it: code/ beside data/, results/ and scratch/.
//
//   nextflow run pipeline/main.nf -profile local --data DIR --results DIR
//   nextflow run pipeline/main.nf -profile slurm --data DIR --results DIR --args '--study a.toml'

nextflow.enable.dsl = 2

params.data = System.getenv('DATA_PATH') ?: "${projectDir}/../data"
params.results = System.getenv('RESULTS_PATH') ?: "${projectDir}/../results"
params.code = "${projectDir}/../code"
params.args = ''

// The lines of every capsule.
def capsule(mode, task) {
    """
    export CO_CPUS=${task.cpus}
    export CO_MEMORY=${task.memory.toBytes()}
    mkdir -p capsule/data capsule/results capsule/scratch
    cp -rL code capsule/code
    cd capsule/code
    chmod +x run
    ./run --mode ${mode} ${params.args}
    """
}

process dispatch {
    input:
    path code
    path 'capsule/data/'

    output:
    path 'capsule/results/jobs/*', optional: true   // none is left where all runs are in the data

    script:
    capsule('dispatch', task)
}

process worker {
    tag "${job.baseName}"

    input:
    path code
    path 'capsule/data/'
    path job, stageAs: 'capsule/data/job/*'

    output:
    path 'capsule/results/*'

    script:
    capsule('worker', task)
}

process collect {
    publishDir params.results, mode: 'copy', saveAs: { name -> name - 'capsule/results/' }

    input:
    path code
    path 'capsule/data/'
    path 'capsule/data/runs/'

    output:
    path 'capsule/results/*'

    script:
    capsule('collect', task)
}

workflow {
    code = file(params.code)
    data = Channel.fromPath("${params.data}/*", type: 'any').collect()
    jobs = dispatch(code, data).flatten()
    runs = worker(code, data, jobs).collect().ifEmpty([])
    collect(code, data, runs)
}
