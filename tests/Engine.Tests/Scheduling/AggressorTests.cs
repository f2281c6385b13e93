using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Scheduling;

/// <summary>One tenant asks for ten times its share; the others get theirs. Tokens are counted, not time.</summary>
public sealed class AggressorTests
{
    private const int Others = 3;
    private const int Steps = 1_500;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task The_others_keep_nine_tenths_of_their_fair_share_and_none_of_them_is_refused(int seed)
    {
        // Rows and memory are both short: the aggressor alone could fill either.
        await using EngineBench bench = new(
            new EngineOptions { MaxRunning = 16, StepTokens = 16, QueueLimit = 400, ReaderBufferTokens = 200 }, columns: 40);
        Random random = new(seed);
        Tenant[] tenants = [.. Enumerable.Range(0, Others + 1).Select(index => new Tenant($"t{index}", index == 0 ? 10 * 6 : 6))];
        long total = 0;

        for (int step = 0; step < Steps; step++)
        {
            foreach (Tenant tenant in tenants)
            {
                tenant.KeepBusy(bench, random);
            }
            bench.Engine.StepOnce();
            bench.Engine.CheckLaws();
            total += tenants.Sum(tenant => tenant.Collect());
        }

        double fair = (double)total / tenants.Length;
        Assert.True(total > 5_000, $"{total} tokens");
        Assert.All(tenants.Skip(1), tenant => Assert.True(tenant.Served >= 0.9 * fair, $"{tenant.Name}: {tenant.Served} of {fair} tokens."));
        Assert.All(tenants.Skip(1), tenant => Assert.Equal(0, tenant.Refused));
        bench.Cache.CheckIntegrity();
    }

    /// <summary>A tenant that always has so many requests open.</summary>
    private sealed class Tenant(string name, int open)
    {
        private readonly List<TokenStream> _open = [];

        public string Name { get; } = name;

        public long Served { get; private set; }

        public int Refused { get; private set; }

        public void KeepBusy(EngineBench bench, Random random)
        {
            while (_open.Count < open)
            {
                int[] prompt = EngineBench.Prompt(random.Next(5, 120), random.Next());
                SubmitResult result = EngineBench.TrySubmit(bench.Open(Name), bench.Spec(prompt, random.Next(5, 60)));
                if (result.Generation is not TokenStream stream)
                {
                    Refused++;
                    return;
                }
                _open.Add(stream);
            }
        }

        /// <summary>Tokens of the requests that ended, prompts and answers.</summary>
        public long Collect()
        {
            long tokens = 0;
            foreach (TokenStream stream in _open.Where(stream => stream.End is not null))
            {
                Refused += stream.End!.Refusal is null ? 0 : 1;
                tokens += stream.PromptTokens - stream.CachedTokens + stream.End.GeneratedTokens;
            }
            _open.RemoveAll(stream => stream.End is not null);
            Served += tokens;
            return tokens;
        }
    }
}
