using System.Globalization;
using Concertina.Contracts.Workers;
using Concertina.Silo.Models;
using Concertina.Silo.Options;

namespace Concertina.Cli.Serving;

/// <summary>What a person sees while the server starts.</summary>
internal sealed class StartScreen(string modelPath)
{
    private readonly long _start = TimeProvider.System.GetTimestamp();

    public void Show(LoadStage stage)
    {
        string? text = stage switch
        {
            LoadStage.Reading => $"reading {Path.GetFileName(modelPath)} ({ByteSize.Format(new FileInfo(modelPath).Length)})",
            LoadStage.Weights => "packing the weights for this processor",
            LoadStage.WarmingUp => "warming up",
            _ => null,
        };
        if (text is not null)
        {
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"[{TimeProvider.System.GetElapsedTime(_start).TotalSeconds,5:F1} s] {text}"));
        }
    }

    public static void Facts(ModelFacts facts, WorkerLoad load, Uri? telemetry)
    {
        long tokens = facts.KvBytesPerToken == 0 ? 0 : (load.BudgetBytes - load.TranscodeReserveBytes) / facts.KvBytesPerToken;
        Screen.Line();
        Row("model", $"{facts.Name} ({facts.Architecture}, {Millions(facts.ParameterCount)} parameters, {ByteSize.Format(facts.WeightBytes)} of weights)");
        Row("context", string.Create(CultureInfo.InvariantCulture, $"{facts.ContextLength:N0} tokens, vocabulary {facts.VocabularySize:N0}"));
        Row("KV cache", string.Create(CultureInfo.InvariantCulture,
            $"{ByteSize.Format(load.BudgetBytes)}, {ByteSize.Format(facts.KvBytesPerToken)} per token: room for {tokens:N0} tokens"));
        Row("class", facts.DeterminismClass);
        if (telemetry is not null)
        {
            Row("telemetry", $"OTLP to {telemetry}");
        }
        Screen.Line();
    }

    public static void Listening(string address, string model)
    {
        string url = address.TrimEnd('/').Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("*", "127.0.0.1", StringComparison.Ordinal);
        Screen.Line($"listening on {address}   (Ctrl+C ends; in another terminal:)");
        Screen.Line();
        Screen.Line($$"""
              curl -N {{url}}/v1/chat/completions -H 'content-type: application/json' -d '{"model":"{{model}}","stream":true,"messages":[{"role":"user","content":"The passkey of Mara is 48213. What is the passkey of Mara?"}]}'
            """);
        Screen.Line();
    }

    private static void Row(string name, string value) => Screen.Line($"  {name,-10}{value}");

    private static string Millions(long count) => count >= 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{count / 1e9:0.##}B")
        : string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.#}M");
}
