using System.Diagnostics;
using System.Diagnostics.Metrics;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;

namespace Concertina.Gateway.Tests;

/// <summary>What the outside can see: metrics, traces, logs.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Metrics_count_requests_tokens_and_times_under_the_names_dashboards_know()
    {
        await _gateway.Chat(TestGateway.Body());
        await _gateway.Stream(TestGateway.Body(("max_tokens", 1)));
        await _gateway.Chat(TestGateway.Body(("temperature", 9)));

        Dictionary<string, double> metrics = await Read();

        Assert.Equal(1, metrics["vllm:request_success_total{model_name=\"demo\",finished_reason=\"stop\"}"]);
        Assert.Equal(1, metrics["vllm:request_success_total{model_name=\"demo\",finished_reason=\"length\"}"]);
        Assert.Equal(2, metrics["vllm:time_to_first_token_seconds_count{model_name=\"demo\"}"]);
        Assert.Equal(2, metrics["vllm:e2e_request_latency_seconds_count{model_name=\"demo\",error_type=\"\"}"]);
        Assert.Equal(Demo.Tokens("Hello there, friend.").Length, metrics["gateway_token_gap_seconds_count{model_name=\"demo\"}"]);
        Assert.Equal(1, metrics["vllm:request_time_per_output_token_seconds_count{model_name=\"demo\"}"]);
        Assert.Equal(Demo.Tokens("Hello there, friend.").Length + 2, metrics["vllm:request_generation_tokens_sum{model_name=\"demo\"}"]);
        Assert.Equal(1, metrics["gateway_http_requests_total{http_response_status_code=\"400\",error_type=\"invalid_value\"}"]);
        Assert.Equal(2, metrics["gateway_http_requests_total{http_response_status_code=\"200\",error_type=\"\"}"]);
        Assert.Equal(0, metrics["gateway_streams_active{model_name=\"demo\"}"]);
    }

    [Fact]
    public async Task Open_streams_are_counted_while_they_are_open()
    {
        _gateway.Cluster.Script = Scripts.SayThenHang("Once");
        using (HttpRequestMessage request = TestGateway.Request(TestGateway.Body(("stream", true))))
        using (await _gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(1, (await Read())["gateway_streams_active{model_name=\"demo\"}"]);
        }

        await _gateway.Cluster.SettledIds.Wait("any");
        Dictionary<string, double> metrics = await Read();
        Assert.Equal(0, metrics["gateway_streams_active{model_name=\"demo\"}"]);
        Assert.Equal(1, metrics["vllm:request_success_total{model_name=\"demo\",finished_reason=\"abort\"}"]);
    }

    [Fact]
    public async Task Buckets_are_cumulative_and_end_at_infinity()
    {
        Meter meter = _gateway.Services.GetRequiredService<IMeterFactory>().Create("Concertina.Test");
        Histogram<double> histogram = meter.CreateHistogram("kv_cache.test.duration", "s", "A test.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2] });
        foreach (double value in (double[])[0.5, 1, 1.5, 7])
        {
            histogram.Record(value);
        }

        Dictionary<string, double> metrics = await Read();

        Assert.Equal(2, metrics["kv_cache_test_duration_seconds_bucket{le=\"1\"}"]);
        Assert.Equal(3, metrics["kv_cache_test_duration_seconds_bucket{le=\"2\"}"]);
        Assert.Equal(4, metrics["kv_cache_test_duration_seconds_bucket{le=\"+Inf\"}"]);
        Assert.Equal(10, metrics["kv_cache_test_duration_seconds_sum"]);
        Assert.Equal(4, metrics["kv_cache_test_duration_seconds_count"]);
    }

    [Fact]
    public async Task Instruments_of_the_engine_get_unit_suffixes_and_escaped_labels()
    {
        Meter meter = _gateway.Services.GetRequiredService<IMeterFactory>().Create("Concertina.Test");
        meter.CreateObservableUpDownCounter("kv_cache.memory.usage", () => 4_096L, "By", "Bytes\nheld.");
        meter.CreateObservableGauge("engine.sequences.running", () => new Measurement<int>(3, new KeyValuePair<string, object?>("model", "a\"b\\c")), "{request}");
        meter.CreateObservableCounter("kv_cache.page.transcoded", () => 5L, "{page}");
        meter.CreateObservableUpDownCounter("kv_cache.memory.limit", () => 16_384L, "By");
        Meter engine = _gateway.Services.GetRequiredService<IMeterFactory>().Create("Concertina.Engine");
        engine.CreateHistogram<double>("engine.token.gap", "s").Record(0.5);
        using Meter foreign = new("Foreign");
        foreign.CreateObservableGauge("not.ours", () => 1);

        string text = (await _gateway.Client.GetStringAsync("/metrics")).ReplaceLineEndings("\n");

        Assert.Contains("# HELP kv_cache_memory_usage_bytes Bytes\\nheld.\n# TYPE kv_cache_memory_usage_bytes gauge\nkv_cache_memory_usage_bytes 4096\n", text, StringComparison.Ordinal);
        Assert.Contains("vllm:num_requests_running{model_name=\"a\\\"b\\\\c\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE kv_cache_page_transcoded_total counter\nkv_cache_page_transcoded_total 5\n", text, StringComparison.Ordinal);
        Assert.Contains("vllm:kv_cache_usage_perc 0.25\n", text, StringComparison.Ordinal);
        Assert.Contains("vllm:inter_token_latency_seconds_count 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("vllm:request_time_per_output_token_seconds_count 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("not_ours", text, StringComparison.Ordinal);
        Assert.DoesNotContain("5\nkv_cache_page_transcoded_total 5", await _gateway.Client.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tags_of_a_meter_label_all_its_series_also_the_derived_ones()
    {
        Meter engine = _gateway.Services.GetRequiredService<IMeterFactory>().Create(new MeterOptions("Concertina.Engine") { Tags = [new("model", "demo")] });
        engine.CreateObservableUpDownCounter("kv_cache.memory.usage", () => 1L, "By");
        engine.CreateObservableUpDownCounter("kv_cache.memory.limit", () => 4L, "By");
        engine.CreateObservableUpDownCounter("engine.sequences.running", () => 3, "{sequence}");
        engine.CreateObservableCounter("engine.requests.refused", () => new Measurement<long>(2, new KeyValuePair<string, object?>("reason", "Busy")), "{request}");
        engine.CreateHistogram<int>("engine.batch.rows", "{row}").Record(6);

        Dictionary<string, double> metrics = await Read();

        Assert.Equal(3, metrics["vllm:num_requests_running{model_name=\"demo\"}"]);
        Assert.Equal(0.25, metrics["vllm:kv_cache_usage_perc{model_name=\"demo\"}"]);
        Assert.Equal(2, metrics["engine_requests_refused_total{model_name=\"demo\",reason=\"Busy\"}"]);
        Assert.Equal(6, metrics["vllm:iteration_tokens_total_sum{model_name=\"demo\"}"]);
    }

    [Fact]
    public void What_is_counted_before_the_host_starts_is_not_lost()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton<PrometheusExporter>().BuildServiceProvider();
        PrometheusExporter exporter = services.GetRequiredService<PrometheusExporter>();
        services.GetRequiredService<IMeterFactory>().Create("Concertina.Test").CreateUpDownCounter<int>("early").Add(2);

        Assert.Contains("early 2\n", exporter.Scrape(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_has_one_span_that_continues_the_callers_trace(bool stream)
    {
        TaskCompletionSource<Activity> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        string trace = ActivityTraceId.CreateRandom().ToString();
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == GatewayActivity.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId.ToString() == trace)
                {
                    ended.SetResult(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        await _gateway.Chat(TestGateway.Body(("stream", stream)), ("traceparent", $"00-{trace}-00f067aa0ba902b7-01"));

        Activity span = await ended.Task.WaitAsync(Signals.Guard);
        Assert.Equal(["rendered", "reserved", "routed", "first token", "stop"], span.Events.Select(stage => stage.Name));
        Assert.Equal(Demo.Model, span.GetTagItem("gen_ai.request.model"));
        Assert.Equal("stop", span.GetTagItem("gen_ai.response.finish_reasons"));
    }

    [Fact]
    public async Task No_log_line_holds_what_a_user_wrote()
    {
        const string Secret = "xylophone-4711";
        await _gateway.Chat(TestGateway.Body(("messages", new System.Text.Json.Nodes.JsonArray(new System.Text.Json.Nodes.JsonObject { ["role"] = "user", ["content"] = Secret })), ("unknown_field", Secret)));
        await _gateway.Chat(TestGateway.Body(("messages", Secret)));

        Assert.NotEmpty(_gateway.Log.Lines);
        Assert.DoesNotContain(_gateway.Log.Lines, line => line.Text.Contains(Secret, StringComparison.Ordinal));
    }

    private async Task<Dictionary<string, double>> Read() => (await _gateway.Client.GetStringAsync("/metrics"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line[0] != '#')
        .ToDictionary(line => line[..line.LastIndexOf(' ')], line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
}
