using Concertina.Compute.Engine;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Bench;

/// <summary>How fast an idle engine gives squeezed sessions their lossless rung back, beside how fast it prefills.</summary>
public static class UndoBenchmark
{
    private const int Repeats = 3;

    /// <summary>Runs it.</summary>
    /// <param name="file">The model.</param>
    /// <param name="profile">Its KV profile, if it has one.</param>
    /// <param name="settings">What to measure; one session of the tokens a repeat.</param>
    /// <param name="tokens">A text, at least that long.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="ArgumentException">The rung is none of this model, or the text is too short.</exception>
    public static async Task<UndoResult> Run(ModelFile file, KvProfile? profile, ElasticSettings settings, ReadOnlyMemory<int> tokens, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens.Length, settings.Tokens, nameof(tokens));
        await using ElasticRig rig = new(file, profile, settings, time);
        ReadOnlyMemory<int> prompt = tokens[..settings.Tokens];
        await Prefill(rig, prompt[..512], 0); // compiles
        double prefill = 0;
        double undo = 0;
        for (int repeat = 1; repeat <= Repeats; repeat++)
        {
            prefill = Math.Max(prefill, await Prefill(rig, prompt, repeat));
            undo = Math.Max(undo, await Undo(rig, prompt, settings.Rung, repeat));
        }
        return new UndoResult(settings.Tokens, settings.Rung, prefill, undo);
    }

    private static async Task<double> Prefill(ElasticRig rig, ReadOnlyMemory<int> prompt, int repeat)
    {
        await using Disposer handle = new(rig, rig.Open($"prefill{repeat}"));
        Generation generation = ElasticRig.Submit(handle.Handle, prompt, 1, new KvSpec { Mode = KvMode.Lossless });
        return prompt.Length / rig.StepUntil(() => generation.End is not null);
    }

    private static async Task<double> Undo(ElasticRig rig, ReadOnlyMemory<int> prompt, string rung, int repeat)
    {
        string key = $"undo{repeat}";
        await using Disposer handle = new(rig, rig.Open(key));
        KvSpec kv = new() { FloorRung = rung };
        // It is on its rung before its prompt comes: else the prefix cache would keep exact columns, and nothing would be computed.
        Finish(rig, ElasticRig.Submit(handle.Handle, prompt[..1], 1, kv));
        rig.Engine.Assign(key, rung);
        Finish(rig, ElasticRig.Submit(handle.Handle, prompt, 1, kv));
        while (rig.Engine.StepOnce())
        {
        }
        (long undone, long rows) = (rig.Engine.Snapshot.UndoneSequences, rig.Engine.Snapshot.UndoneTokens);
        rig.Engine.Assign(key, "f16");
        double seconds = rig.StepUntil(() => rig.Engine.Snapshot.UndoneSequences > undone);
        return (rig.Engine.Snapshot.UndoneTokens - rows) / seconds;
    }

    private static void Finish(ElasticRig rig, Generation generation) => rig.StepUntil(() => generation.End is not null);

    // The engine frees a sequence in a step, which the benchmark runs.
    private sealed class Disposer(ElasticRig rig, SequenceHandle handle) : IAsyncDisposable
    {
        public SequenceHandle Handle => handle;

        public async ValueTask DisposeAsync()
        {
            ValueTask disposed = handle.DisposeAsync();
            rig.Engine.StepOnce();
            await disposed;
        }
    }
}
