using System.Text.Json;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Cpu;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

/// <summary>The shipped models that are retrofitted with DMS.</summary>
public sealed class DemoDmsTests
{
    private const int Chunk = 512;
    private const int EndOfTurn = 5;
    private const double ShareTolerance = 0.005;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void The_files_say_what_the_card_says(int ratio)
    {
        using ModelFile file = ModelFile.Open(DemoModel.Dms(ratio));
        KvMethod method = file.Config.KvMethod!;
        Assert.Equal((KvMethod.Dms, 63, 1f, 1), (method.Name, method.Neuron, method.Scale, method.Shift));
        Assert.Equal((128, KvShape.PageTokens, (float)ratio), (method.Window, method.Sinks, method.TargetRatio));
        Assert.Equal(ratio, 1 / method.MeasuredRatios.Average(head => 1 / head), 0.1 * ratio);
        using ModelFile original = ModelFile.Open(DemoModel.F16);
        Assert.Equal(original.Config, file.Config with { KvMethod = null, Name = original.Config.Name });
        for (int layer = 0; layer < file.Config.LayerCount; layer++)
        {
            using WeightTensor queries = file.OpenTensor(LlamaTensors.Query(layer));
            Assert.Equal(TensorType.F16, queries.Type);
        }
    }

    /// <summary>Shares that training/retrofit computes of the same tokens; a wrong channel, a lost factor or a rounded row would give others.</summary>
    [Theory]
    [InlineData(2, 0.000, 0.340)]
    [InlineData(4, 0.023, 0.776)]
    public void The_last_layer_marks_as_many_tokens_as_in_training(int ratio, double first, double second)
    {
        using ModelFile file = ModelFile.Open(DemoModel.Dms(ratio));
        KvMethod method = file.Config.KvMethod!;
        int[] tokens = Read("recall 4096").Tokens;
        int[] marked = new int[file.Config.KvHeadCount];
        int eligible = 0;
        Feed(file, tokens, rows =>
        {
            for (int i = 0; i < rows.RowCount; i++)
            {
                int about = rows.FirstPosition + i - method.Shift;
                bool mayGo = about >= method.Sinks && about < tokens.Length - 1 - method.Window;
                eligible += mayGo ? 1 : 0;
                for (int head = 0; head < marked.Length; head++)
                {
                    marked[head] += mayGo && rows.Decisions[(i * marked.Length) + head] > 0 ? 1 : 0;
                }
            }
        });
        Assert.Equal(first, (double)marked[0] / eligible, ShareTolerance);
        Assert.Equal(second, (double)marked[1] / eligible, ShareTolerance);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void With_all_its_tokens_it_finds_the_passkey_that_the_original_finds(int ratio)
    {
        using ModelFile file = ModelFile.Open(DemoModel.Dms(ratio));
        ReferencePrompt prompt = Read("recall 2048");
        int[] expected = prompt.Greedy[..(prompt.Greedy.IndexOf(EndOfTurn) + 1)];
        Assert.InRange(expected.Length, 8, 16); // "The passkey of ... is 12345.", and the end of the turn
        Assert.Equal(expected, Continue(file, prompt.Tokens, expected.Length));
    }

    private static int[] Continue(ModelFile file, int[] tokens, int count)
    {
        using Harness harness = Open(file);
        PageTable table = harness.NewTable();
        float[] logits = [];
        for (int start = 0; start < tokens.Length; start += Chunk)
        {
            harness.Add(table, start, tokens.AsSpan(start, Math.Min(Chunk, tokens.Length - start)), 1);
            logits = harness.Run()[0];
        }
        int[] greedy = new int[count];
        for (int i = 0; i < count; i++)
        {
            greedy[i] = logits.IndexOf(logits.Max());
            harness.Add(table, tokens.Length + i, [greedy[i]], 1);
            logits = harness.Run()[0];
        }
        return greedy;
    }

    /// <summary>Feeds a prompt and hands every chunk's rows of the last layer on.</summary>
    private static void Feed(ModelFile file, int[] tokens, Action<KvRows> seen)
    {
        using Harness harness = Open(file);
        PageTable table = harness.NewTable();
        for (int start = 0; start < tokens.Length; start += Chunk)
        {
            harness.Add(table, start, tokens.AsSpan(start, Math.Min(Chunk, tokens.Length - start)), 0);
            StepSpan span = harness.Batch.Spans[0];
            harness.Run();
            seen(harness.Runner.LastRowsOf(span));
        }
    }

    private static Harness Open(ModelFile file) => new(file, new CpuRunnerOptions { MaxStepRows = Chunk, MaxLogitRows = 1, Threads = 2 });

    private static ReferencePrompt Read(string name)
    {
        using FileStream stream = File.OpenRead(DemoModel.Reference);
        return JsonSerializer.Deserialize<ReferenceFile>(stream)!.Prompts.Single(prompt => prompt.Name == name);
    }
}
