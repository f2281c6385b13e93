using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Text;

namespace Concertina.Gateway.Telemetry;

/// <summary>
/// The one table from our OpenTelemetry names to names that dashboards of the field query (<c>vllm:</c>), and the rule for
/// the rest: dots become underscores, the unit becomes a suffix, counters end in <c>_total</c>.
/// </summary>
internal static class PrometheusNames
{
    private static readonly FrozenDictionary<string, string> Known = new Dictionary<string, string>
    {
        ["engine.sequences.running"] = "vllm:num_requests_running",
        ["engine.queue.length"] = "vllm:num_requests_waiting",
        ["engine.tokens.prefilled"] = "vllm:prompt_tokens_total",
        ["engine.tokens.generated"] = "vllm:generation_tokens_total",
        ["engine.sequences.preempted"] = "vllm:num_preemptions_total",
        ["kv_cache.prefix.hits"] = "vllm:prefix_cache_hits_total",
        ["gen_ai.server.request.duration"] = "vllm:e2e_request_latency_seconds",
        ["gen_ai.server.time_to_first_token"] = "vllm:time_to_first_token_seconds",
        ["gen_ai.server.time_per_output_token"] = "vllm:request_time_per_output_token_seconds",
        ["engine.token.gap"] = "vllm:inter_token_latency_seconds",
        ["engine.batch.rows"] = "vllm:iteration_tokens_total",
        ["gateway.request.prompt_tokens"] = "vllm:request_prompt_tokens",
        ["gateway.request.generated_tokens"] = "vllm:request_generation_tokens",
        ["gateway.request.finished"] = "vllm:request_success_total",
        ["gateway.request.refused"] = "vllm:admission_rejections_total",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> KnownLabels = new Dictionary<string, string>
    {
        ["gen_ai.request.model"] = "model_name",
        ["model"] = "model_name",
        ["worker"] = "engine",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Names that follow from two instruments of the engine: a share, or a sum.</summary>
    public static readonly (string Name, string Kind, string First, string Second, Func<double, double, double> Rule)[] Derived =
    [
        ("vllm:kv_cache_usage_perc", "gauge", "kv_cache.memory.usage", "kv_cache.memory.limit", static (used, limit) => limit > 0 ? used / limit : 0),
        ("vllm:prefix_cache_queries_total", "counter", "kv_cache.prefix.hits", "kv_cache.prefix.misses", static (hits, misses) => hits + misses),
    ];

    public static string Metric(Instrument instrument, bool isCounter)
    {
        if (Known.TryGetValue(instrument.Name, out string? known))
        {
            return known;
        }
        StringBuilder name = new(Clean(instrument.Name));
        string? unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            "1" => "_ratio",
            // {request}, {token}: the name already says what is counted.
            _ => null,
        };
        if (unit is not null && !instrument.Name.EndsWith(unit[1..], StringComparison.Ordinal))
        {
            name.Append(unit);
        }
        return isCounter ? name.Append("_total").ToString() : name.ToString();
    }

    public static string Label(string tag) => KnownLabels.TryGetValue(tag, out string? known) ? known : Clean(tag);

    private static string Clean(string name) =>
        string.Create(name.Length, name, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
            }
        });
}
