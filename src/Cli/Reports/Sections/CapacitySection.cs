using System.Globalization;
using Concertina.Cli.Benches.Cache;

namespace Concertina.Cli.Reports.Sections;

/// <summary>Sessions that fit a budget, counted by filling it, beside those of a cache without rungs.</summary>
internal static class CapacitySection
{
    /// <summary>
    /// Bits per number of llama.cpp's cache types: 16; blocks of 32 numbers in 34 bytes (q8_0) or 18 (q4_0). Source: block_q8_0
    /// and block_q4_0 of ggml.
    /// </summary>
    private static readonly (string Name, double Bits)[] LlamaCpp = [("f16", 16), ("q8_0", 34 * 8 / 32.0), ("q4_0", 18 * 8 / 32.0)];

    /// <summary>Lines of the section; none without results.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<BenchRun<CapacityFile>> runs)
    {
        List<string> lines = [];
        foreach (BenchRun<CapacityFile> run in runs)
        {
            lines.AddRange(lines.Count == 0
                ?
                [
                    "## Capacity", "",
                    "Sessions are made until the next one fails; every one has its page lists, exact parts and scales. llama.cpp's rows are its",
                    "cache types' bytes for the same numbers, its cache being allocated whole at start: what it would hold, not a run of it.", "",
                ]
                : []);
            lines.AddRange(Of(run));
        }
        return lines;
    }

    private static IEnumerable<string> Of(BenchRun<CapacityFile> run)
    {
        CapacityFile result = run.Result;
        long budget = result.Rungs[0].BudgetBytes;
        string mebibytes = (budget >> 20).ToString("N0", CultureInfo.InvariantCulture);
        return
        [
            $"### `{run.Name}.json`: sessions of {Figures.Count(result.Tokens)} tokens in {mebibytes} MiB, {result.Model}", "",
            $"- `{result.Command}`",
            $"- commit `{result.Commit}`; {result.Hardware}; {result.Runtime}",
            .. result.Note is { } note ? [$"- {note}"] : Array.Empty<string>(),
            "",
            .. Figures.Head("rung", "sessions", "bytes each", "bytes/token", "lost to fragmentation"),
            .. result.Rungs.Select(rung => Figures.Row(
                $"`{rung.Rung}`", Figures.Count(rung.Sessions), Figures.Count(rung.BytesPerSession),
                Figures.Bytes((double)rung.BytesPerSession / result.Tokens), Figures.Count(rung.FragmentedBytes))),
            .. result.NumbersPerToken is { } numbers ? LlamaCpp.Select(kind => Row(kind, numbers, result.Tokens, budget)) : [],
            "",
        ];
    }

    private static string Row((string Name, double Bits) kind, int numbers, int tokens, long budget)
    {
        double bytes = numbers * kind.Bits / 8;
        return Figures.Row(
            $"llama.cpp `{kind.Name}`, computed", Figures.Count(Math.Floor(budget / (bytes * tokens))), Figures.Count(bytes * tokens),
            Figures.Bytes(bytes), "0");
    }
}
