using System.CommandLine;
using System.Globalization;
using Concertina.Compute.Bench;
using Concertina.Compute.Model;

namespace Concertina.Cli.Benches;

/// <summary><c>concertina bench decode</c> and <c>prefill</c>: the forward pass alone, of a model or of random weights of a shape.</summary>
internal static class BenchModelCommand
{
    public static Command Decode() => Create("decode", "Measures decode steps of a batch of sequences of some depth.", DecodeBenchmark.Run);

    public static Command Prefill() => Create("prefill", "Measures prompts that are computed in chunks.", PrefillBenchmark.Run);

    private static Command Create(string name, string description, Func<ModelSource, BenchmarkSettings, TimeProvider, BenchmarkResult> run)
    {
        Option<string?> model = new("--model") { Description = "GGUF file." };
        Option<string?> shape = new("--shape") { Description = $"Random weights in Q8_0 of a shape: {string.Join(", ", ModelShapes.Names)}." };
        Option<int> depth = new("--depth") { Description = "Tokens each sequence already holds." };
        Option<int> batch = new("--batch") { Description = "Sequences.", DefaultValueFactory = _ => 1 };
        Option<int> tokens = new("--tokens") { Description = "Tokens measured per sequence.", DefaultValueFactory = _ => 128 };
        Option<string> rung = new("--rung") { Description = "Rung the sequences are on, one that needs no profile.", DefaultValueFactory = _ => "f16" };
        Option<int> threads = new("--threads") { Description = "Threads; 0: one per core." };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new(name, description) { model, shape, depth, batch, tokens, rung, threads, json };
        command.SetAction(arguments =>
        {
            BenchmarkSettings settings = BenchedModel.Checked(new BenchmarkSettings
            {
                Depth = arguments.GetValue(depth),
                Batch = arguments.GetRequiredValue(batch),
                Tokens = arguments.GetRequiredValue(tokens),
                Threads = arguments.GetValue(threads),
                Rung = arguments.GetRequiredValue(rung),
                Seed = BenchedModel.Seed,
            });
            using ModelSource source = BenchedModel.Open(arguments.GetValue(model), arguments.GetValue(shape));
            string what = arguments.GetValue(model) is { } file ? $"--model {Path.GetFileName(file)}" : $"--shape {arguments.GetValue(shape)}";
            BenchResult result = Result(Run(run, source, settings)) with
            {
                Command = string.Create(CultureInfo.InvariantCulture,
                    $"concertina bench {name} {what} --depth {settings.Depth} --batch {settings.Batch} --tokens {settings.Tokens} --rung {settings.Rung} --threads {settings.Threads}"),
                Model = source.Config.Name,
                Note = arguments.GetValue(model) is null ? "random weights (Q8_0); keys and values of the depth are random numbers" : null,
            };
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.BenchResult);
            return ExitCode.Success;
        });
        return command;
    }

    private static BenchmarkResult Run(
        Func<ModelSource, BenchmarkSettings, TimeProvider, BenchmarkResult> run, ModelSource source, BenchmarkSettings settings)
    {
        try
        {
            return run(source, settings, TimeProvider.System);
        }
        catch (ArgumentException problem) // an unknown rung
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    private static BenchResult Result(BenchmarkResult measured) => new()
    {
        Command = "",
        TokensPerSecond = Math.Round(measured.TokensPerSecond, 2),
        TokensPerCpuSecond = Math.Round(measured.TokensPerCpuSecond, 2),
        TtftMs = Of(measured.TtftP50Ms, measured.TtftP99Ms),
        ItlMs = Of(measured.ItlP50Ms, measured.ItlP99Ms),
        ResidentBytes = measured.ResidentBytes,
        KvBytes = measured.KvBytes,
        WeightBytes = measured.WeightBytes,
    };

    private static Percentiles? Of(double? p50, double? p99) =>
        p50 is { } median && p99 is { } tail ? new Percentiles(Math.Round(median, 3), Math.Round(tail, 3)) : null;
}
