using Concertina.Compute.KvCache;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;
using Concertina.Compute.Tests.Model;

namespace Concertina.Compute.Tests.Profile;

public sealed class ModelCacheTests
{
    [Fact]
    public void Rungs_that_are_named_out_of_order_are_refused_with_their_bytes()
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find("group 4"), TensorType.F32, seed: 3);
        KvCacheOptions options = new() { BudgetBytes = 64 << 20, Rungs = "int8,int2" };

        using (PagedKvCache cache = ModelCache.Create(model, options, profile: null))
        {
            Assert.Equal(3, cache.Rungs.Count);
        }
        string message = Assert.Throws<ArgumentException>(() => ModelCache.Create(model, options with { Rungs = "int2,int8" }, profile: null)).Message;

        Assert.Contains("'int8' takes", message, StringComparison.Ordinal);
        Assert.Contains("from most bytes to fewest", message, StringComparison.Ordinal);
    }
}
