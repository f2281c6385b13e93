using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.Tests.KvCache.Codecs;

/// <summary>What a codec declares, the cache keeps.</summary>
public sealed class CodecContractTests
{
    private static readonly int[] Tokens = Caches.Tokens(200, seed: 3);

    [Theory]
    [InlineData(1, 1, 164, 164)]
    [InlineData(16, 1, 164, 160)]
    [InlineData(1, 16, 164, 160)]
    [InlineData(24, 16, 170, 128)]
    [InlineData(24, 16, 191, 176)]
    [InlineData(64, 1, 164, 128)]
    public void A_cut_keeps_what_both_codecs_can_cut_to(int keyBlock, int valueBlock, int asked, int kept)
    {
        CoarseCodec codec = new() { KeyBlock = keyBlock, ValueBlock = valueBlock };
        using PagedKvCache cache = New(codec);
        PageTable table = Caches.Filled(cache, Tokens);

        Assert.Equal(kept, cache.Truncate(table, asked));

        Assert.Equal((kept, kept), (table.TokenCount, table.ReservedTokens));
        Caches.AssertContent(cache, table, Tokens);
        cache.CheckIntegrity();
        Assert.True(Caches.TryFill(cache, table, Tokens));
        Caches.AssertContent(cache, table, Tokens);
    }

    [Fact]
    public void A_cut_asks_the_codec_for_both_sides_of_every_head_and_not_at_page_boundaries()
    {
        CoarseCodec codec = new();
        using PagedKvCache cache = New(codec);
        PageTable table = Caches.Filled(cache, Tokens);

        cache.Truncate(table, 128);
        Assert.Empty(codec.Cuts);
        cache.Truncate(table, 100);

        Assert.Equal(Caches.Small.HeadCount, codec.Cuts.Count(cut => cut == (KvSide.Keys, 36)));
        Assert.Equal(Caches.Small.HeadCount, codec.Cuts.Count(cut => cut == (KvSide.Values, 36)));
    }

    [Fact]
    public void A_cut_in_a_shared_column_cuts_the_copy()
    {
        using PagedKvCache cache = New(new CoarseCodec { ValueBlock = 16 });
        PageTable table = Caches.Filled(cache, Tokens);
        cache.Publish(table, Caches.Tenant, Tokens);

        Assert.Equal(96, cache.Truncate(table, 100));

        PageTable other = cache.CreateTable();
        Assert.Equal(192, cache.Adopt(other, Caches.Tenant, Tokens, deepestRung: 0));
        Caches.AssertContent(cache, other, Tokens);
        Caches.AssertContent(cache, table, Tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Declared_scratch_of_keys_and_values_is_paid_from_the_budget()
    {
        using PagedKvCache plain = New(new CoarseCodec());
        using PagedKvCache paying = New(new CoarseCodec { Scratch = 10_000 });

        Assert.Equal(plain.UsedBytes + 20_000, paying.UsedBytes);
        Assert.Equal(plain.CommittableBytes - 20_000, paying.CommittableBytes);
    }

    [Fact]
    public void A_codec_that_needs_what_the_runner_does_not_offer_is_refused_with_the_need()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => New(new CoarseCodec { Needs = HookNeeds.KeysBeforeRope }));

        Assert.Contains("coarse", refused.Message);
        Assert.Contains("KeysBeforeRope", refused.Message);
    }

    private static PagedKvCache New(IKvCodec codec) =>
        new(Caches.Small, new KvCacheOptions { BudgetBytes = 8L << 20 }, CacheParts.Lossless(codec));
}
