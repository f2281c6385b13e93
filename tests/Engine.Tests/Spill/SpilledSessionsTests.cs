using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

/// <summary>Many sessions, little memory, a disk that is slow at times, processes that end: no token is wrong, no byte is lost.</summary>
public sealed class SpilledSessionsTests : IDisposable
{
    private const int Sessions = 8;
    private static readonly string[] Rungs = ["f16", "pair", "pair1"];
    private readonly PageFolder _folder = new();
    private readonly int[][] _tokens = new int[Sessions][];
    private long _spilled;
    private long _restored;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Random_sessions_spills_and_restarts_lose_no_token_and_no_byte(int seed)
    {
        Random random = new(seed);
        for (int process = 0; process < 3; process++)
        {
            EngineOptions options = new() { StepTokens = 64, SpillBufferBytes = 1 << (16 + random.Next(4)), SpillIdleSeconds = 30 };
            await using EngineBench bench = new(options, columns: 24 + random.Next(40), contextLength: 900, parts: PairLadder.Parts(), pages: _folder.Open());
            SequenceHandle[] handles = [.. Enumerable.Range(0, Sessions).Select(i => Open(bench, i, process))];
            List<(int Session, TokenStream Stream, int[] Prompt, List<int> Read, int Wanted)> live = [];
            for (int step = 0; step < 500; step++)
            {
                int session = random.Next(Sessions);
                if (!handles[session].Busy && random.Next(4) == 0)
                {
                    int[] prompt = NextPrompt(handles[session].CopyTokens(), random);
                    int wanted = random.Next(1, 30);
                    GenerationSpec spec = bench.Spec(prompt, wanted) with { Kv = new KvSpec { FloorRung = Rungs[random.Next(3)] } };
                    live.Add((session, EngineBench.Submit(handles[session], spec), prompt, [], wanted));
                }
                if (random.Next(6) == 0)
                {
                    bench.Engine.Assign($"tenant/s{random.Next(Sessions)}", Rungs[random.Next(3)]);
                }
                if (random.Next(8) == 0)
                {
                    bench.Time.Advance(TimeSpan.FromSeconds(8));
                    bench.Cache.DropUnreferenced(random.Next(2) == 0 ? long.MaxValue : 0);
                }
                if (random.Next(50) == 0 && live.Count > 0)
                {
                    live[random.Next(live.Count)].Stream.Cancel();
                }
                bench.RunsPageFiles = random.Next(3) > 0;
                bench.Step();
                Read(live, handles);
            }
            bench.RunsPageFiles = true;
            Assert.All(live, run => bench.Finish(run.Stream));
            _spilled += bench.Engine.Snapshot.SpilledSequences;
            _restored += bench.Engine.Snapshot.RestoredSequences;
            for (int i = 0; i < Sessions; i++)
            {
                _tokens[i] = handles[i].CopyTokens();
            }
        }
        Assert.DoesNotContain(_folder.Faults, fault => fault != SessionFileFault.Superseded);
        Assert.True(_spilled > 10 && _restored > 5, $"{_spilled} sessions were spilled, {_restored} restored.");
    }

    private SequenceHandle Open(EngineBench bench, int session, int process)
    {
        SequenceHandle handle = SpillTests.Kept(bench, $"s{session}", epoch: process);
        if (_tokens[session] is { } tokens)
        {
            handle.RestoreTokens(tokens);
        }
        return handle;
    }

    private static int[] NextPrompt(int[] held, Random random)
    {
        int[] start = held.Length is > 0 and < 500 && random.Next(6) > 0 ? held : held[..Math.Min(held.Length, random.Next(300))];
        return [.. start, .. EngineBench.Prompt(random.Next(1, 200), random.Next())];
    }

    private static void Read(List<(int Session, TokenStream Stream, int[] Prompt, List<int> Read, int Wanted)> live, SequenceHandle[] handles)
    {
        foreach ((int session, TokenStream stream, int[] prompt, List<int> read, int wanted) in live.ToArray())
        {
            bool ended = stream.End is not null;
            read.AddRange(EngineBench.Read(stream));
            if (!ended)
            {
                continue;
            }
            int count = stream.End!.Kind == FinishKind.Cancelled ? read.Count : wanted;
            Assert.Equal(HashModel.Greedy(prompt, count), read);
            Assert.False(handles[session].Busy);
        }
        live.RemoveAll(run => run.Stream.End is not null);
    }
}
