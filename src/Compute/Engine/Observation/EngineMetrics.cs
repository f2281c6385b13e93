using System.Diagnostics.Metrics;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Store;

namespace Concertina.Compute.Engine;

/// <summary>Instruments of one engine. Recording allocates nothing; gauges are read from the last step's figures.</summary>
internal sealed class EngineMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Concertina.Engine";

    private readonly Histogram<double>? _stepSeconds;
    private readonly Histogram<int>? _rows;
    private readonly Histogram<double>? _tokenSeconds;

    public EngineMetrics(IMeterFactory? meters, EngineState state)
    {
        if (meters is null)
        {
            return;
        }
        Meter meter = meters.Create(MeterName); // the factory owns it
        _stepSeconds = meter.CreateHistogram("engine.step.duration", "s", "Time of one step.", advice: Buckets(
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5));
        _rows = meter.CreateHistogram("engine.batch.rows", "{row}", "Rows of one step.", advice: new InstrumentAdvice<int>
        {
            HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        });
        _tokenSeconds = meter.CreateHistogram("engine.token.gap", "s", "Time between two tokens of a sequence.", advice: Buckets(
            0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5));
        Gauges(meter, state);
        Counters(meter, state);
        if (state.Desk is { } desk)
        {
            PageFiles(meter, desk);
        }
    }

    public void Step(TimeSpan duration, int rows)
    {
        _stepSeconds?.Record(duration.TotalSeconds);
        _rows?.Record(rows);
    }

    public void Token(TimeSpan sinceLast) => _tokenSeconds?.Record(sinceLast.TotalSeconds);

    private static InstrumentAdvice<double> Buckets(params double[] seconds) => new() { HistogramBucketBoundaries = seconds };

    private static void Gauges(Meter meter, EngineState state)
    {
        meter.CreateObservableUpDownCounter("engine.queue.length", () => state.Intake.Waiting, "{request}", "Requests that wait for admission.");
        meter.CreateObservableUpDownCounter("engine.sequences.running", () => state.Board.Read().Running, "{sequence}", "Sequences that hold a commitment.");
        meter.CreateObservableUpDownCounter("engine.sequences.idle", () => state.Board.Read().IdleSequences, "{sequence}", "Open sequences that hold units and no commitment.");
        meter.CreateObservableUpDownCounter("kv_cache.memory.usage", () => state.Board.Read().Kv.UsedBytes, "By", "Physical bytes in use.");
        meter.CreateObservableUpDownCounter("kv_cache.memory.limit", () => state.Board.Read().Kv.BudgetBytes, "By", "Bytes the cache may use.");
        meter.CreateObservableUpDownCounter("kv_cache.memory.target", () => state.Board.Read().Budget.TargetBytes, "By", "Bytes the cache was told to use at most.");
        meter.CreateObservableUpDownCounter("kv_cache.memory.committed", () => state.Board.Read().CommittedBytes, "By", "Bytes promised to running sequences.");
        meter.CreateObservableUpDownCounter("kv_cache.memory.usage_by_rung", () => ByRung(state), "By", "Bytes of units in the form of each rung.");
        meter.CreateObservableUpDownCounter("kv_cache.memory.fragmented", () => state.Board.Read().Kv.FragmentedBytes, "By", "Bytes of extents in use that hold no unit.");
        meter.CreateObservableGauge("kv_cache.pressure", () => state.Board.Read().Pressure, "1", "Bytes that are not reclaimable at once, by what may be promised; the watermarks look at it.");
        meter.CreateObservableUpDownCounter("kv_cache.undo.backlog", () => state.Board.Read().UndoBacklog, "{sequence}", "Sequences that are to get a better rung back.");
        meter.CreateObservableUpDownCounter("kv_cache.undo.backlog_tokens", () => state.Board.Read().UndoBacklogTokens, "{token}", "Tokens to compute for them.");
        meter.CreateObservableUpDownCounter("kv_cache.prefix.memory", () => state.Board.Read().Kv.PrefixBytes, "By", "Bytes of prefix columns.");
        meter.CreateObservableUpDownCounter("kv_cache.prefix.unreferenced_memory", () => state.Board.Read().Kv.UnreferencedPrefixBytes, "By", "Bytes of prefix columns that no table refers to; reclaimable at once.");
    }

    private static void Counters(Meter meter, EngineState state)
    {
        meter.CreateObservableCounter("engine.tokens.generated", () => state.Board.Read().GeneratedTokens, "{token}", "Tokens sampled.");
        meter.CreateObservableCounter("engine.tokens.prefilled", () => state.Board.Read().PrefilledTokens, "{token}", "Prompt tokens computed.");
        meter.CreateObservableCounter("engine.memory.waits", () => state.Board.Read().MemoryWaits, "{step}", "Steps in which a sequence waited for memory.");
        meter.CreateObservableCounter("engine.sequences.reclaimed", () => state.Board.Read().ReclaimedSequences, "{sequence}", "Idle sequences whose units were taken back.");
        meter.CreateObservableCounter("kv_cache.prefix.hits", () => state.Board.Read().Kv.PrefixHitTokens, "{token}", "Prompt tokens found in the prefix cache.");
        meter.CreateObservableCounter("kv_cache.prefix.misses", () => state.Board.Read().Kv.PrefixMissTokens, "{token}", "Prompt tokens looked up and not found.");
        meter.CreateObservableCounter("kv_cache.unit.transcoded", () => state.Board.Read().TranscodedUnits, "{unit}", "Units stored anew at a deeper rung.");
        meter.CreateObservableCounter("kv_cache.unit.guarded", () => state.Board.Read().GuardedUnits, "{unit}", "Units kept in a finer form, because their rung would have lost too much of them.");
        meter.CreateObservableCounter("kv_cache.memory.reclaimed", () => state.Board.Read().ReclaimedBytes, "By", "Bytes that squeezing set free.");
        meter.CreateObservableCounter("kv_cache.squeeze.duration", () => state.Board.Read().SqueezeSeconds, "s", "Time spent on squeezing.");
        meter.CreateObservableCounter("engine.sequences.preempted", () => state.Board.Read().Preemptions, "{preemption}", "Times a running sequence lost units and computed them again; always 0 unless there is a bug.");
        meter.CreateObservableCounter("kv_cache.floor.violations", () => state.Board.Read().FloorViolations, "{request}", "Generations whose cache was found deeper than they allow; always 0 unless there is a bug.");
        meter.CreateObservableCounter("kv_cache.memory.held", () => state.Meter.Read().Sum(tenant => tenant.ByteSeconds), "By.s", "Bytes that tenants' sequences held, times the seconds they held them.");
        meter.CreateObservableCounter("engine.stalls", () => state.Intake.Stalls, "{stall}", "Times a stage took longer than it may.");
        meter.CreateObservableCounter("engine.reflexes", () => state.Board.Read().Reflexes, "{squeeze}", "Times memory pressure made the engine squeeze live sequences.");
        meter.CreateObservableCounter("kv_cache.transcode.work", () => state.Board.Read().TranscodeCharge, "By", "Bytes of source pages transcoded, times the weight of their encoding.");
        meter.CreateObservableCounter("kv_cache.undo.completed", () => state.Board.Read().UndoneSequences, "{sequence}", "Sequences that got a better rung back.");
        meter.CreateObservableCounter("kv_cache.undo.abandoned", () => state.Board.Read().AbandonedUndos, "{sequence}", "Undos given up because memory was needed or the assignment changed.");
        meter.CreateObservableCounter("kv_cache.undo.tokens", () => state.Board.Read().UndoneTokens, "{token}", "Tokens computed anew.");
        meter.CreateObservableCounter("engine.requests.refused", () => Refusals(state), "{request}", "Requests refused, by reason.");
    }

    private static IEnumerable<Measurement<long>> ByRung(EngineState state)
    {
        RungBytes bytes = state.Board.Read().RungBytes;
        for (int rung = 0; rung < state.Ladder.Rungs.Count; rung++)
        {
            yield return new Measurement<long>(bytes[rung], new KeyValuePair<string, object?>("rung", state.Ladder[rung].Name));
        }
    }

    private static void PageFiles(Meter meter, PageDesk desk)
    {
        SpillFigures figures = desk.Figures;
        meter.CreateObservableCounter("kv_cache.spill.sequences", () => figures.Spilled, "{sequence}", "Idle sequences whose page file was made.");
        meter.CreateObservableCounter("kv_cache.spill.written", () => figures.SpilledBytes, "By", "Bytes of page files made.");
        meter.CreateObservableUpDownCounter("kv_cache.spill.buffered", () => desk.BufferedBytes, "By", "Bytes of copies outside the arena.");
        meter.CreateObservableUpDownCounter("kv_cache.spill.reserve", () => desk.ReserveBytes, "By", "Bytes of the KV budget that such copies are paid from.");
        meter.CreateObservableCounter("kv_cache.restore.sequences", () => figures.Restored, "{sequence}", "Sequences that went on from their page file.");
        meter.CreateObservableCounter("kv_cache.restore.memory", () => figures.RestoredBytes, "By", "Bytes of their tables.");
        meter.CreateObservableCounter("kv_cache.restore.recomputed", () => figures.Recomputed, "{sequence}", "Sequences computed anew although they have a page file, because that was measured to be faster or there was no room.");
        meter.CreateObservableCounter("kv_cache.page_file.faults", () => PageFaults(figures), "{file}", "Page files that could not be written or used, by reason.");
    }

    private static IEnumerable<Measurement<long>> PageFaults(SpillFigures figures)
    {
        foreach (SessionFileFault fault in Enum.GetValues<SessionFileFault>())
        {
            if (fault is not (SessionFileFault.None or SessionFileFault.Missing))
            {
                yield return new Measurement<long>(figures.Faults(fault), new KeyValuePair<string, object?>("reason", fault.ToString()));
            }
        }
    }

    private static IEnumerable<Measurement<long>> Refusals(EngineState state)
    {
        long[] counts = state.Intake.RefusedCounts();
        foreach (RefusalKind kind in Enum.GetValues<RefusalKind>())
        {
            yield return new Measurement<long>(counts[(int)kind], new KeyValuePair<string, object?>("reason", kind.ToString()));
        }
    }
}
