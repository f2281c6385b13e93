using System.Text.Json;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.Tests.KvCache.Codecs;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Attention over what the golden schedule leaves.</summary>
public sealed class AttendAfterEvictionTests
{
    private const int GoldenDim = 8;
    private const int HeadDim = 16;

    [Fact]
    public void Attention_over_the_survivors_is_the_golden_one()
    {
        JsonElement file = EvictionVectors.Load("attend_after_eviction");
        JsonElement caches = EvictionVectors.Load("metric_decode_update").At("inputs");
        ScheduleHead[] heads = ScheduleHead.Read(file.At("inputs", "heads"));
        var run = new ScheduleRun(heads, ScheduleRules.Read(file));
        int[] blocks = run.Take(file.At("expected", "result", "requested").GetInt32()).Blocks;
        List<float> outputs = [];
        for (int queryHead = 0; queryHead < 4; queryHead++)
        {
            int head = queryHead / 2;
            int[] survivors = run.Compact(head, blocks[head]).Survivors;
            var page = new Page(
                CodecCatalog.Find("f32")!, HeadDim, Rows(caches.At("k"), head, survivors), Rows(caches.At("v"), head, survivors));
            float[] query = Widen(caches.At("q").Floats().AsSpan(queryHead * GoldenDim, GoldenDim));
            float[] scaled = [.. query.Select(value => value / MathF.Sqrt(GoldenDim))];
            outputs.AddRange(Page.Attend([page], scaled, [survivors.Length - 1], VectorPaths.Best)[..GoldenDim]);
        }

        outputs.ToArray().AssertNear(file.At("expected", "o"), file.At("check", "o"));
    }

    // Heads of the engine have a multiple of 16 channels; zeros change no score.
    private static float[] Widen(ReadOnlySpan<float> row) => [.. row, .. new float[HeadDim - GoldenDim]];

    private static float[] Rows(JsonElement tensor, int head, int[] slots)
    {
        float[] all = tensor.Floats();
        return [.. slots.SelectMany(slot => Widen(all.AsSpan(((head * 40) + slot) * GoldenDim, GoldenDim)))];
    }
}
