namespace Concertina.Cli.Reports.Plots;

/// <summary>Finds places for the labels of points where they cover neither each other, nor points, nor lines.</summary>
/// <param name="frame">Where labels may be.</param>
/// <param name="points">Points to keep free.</param>
/// <param name="line">Line to keep free, as its corners.</param>
internal sealed class LabelLayout(
    (double Left, double Top, double Right, double Bottom) frame, IReadOnlyList<(double X, double Y)> points, IReadOnlyList<(double X, double Y)> line)
{
    private const double Height = 14;
    private const double Gap = 8;
    private const double PointRadius = 5.5;
    private static readonly (double X, double Y)[] Directions = [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (1, 1), (0, 1), (-1, 1)];
    private static readonly double[] Distances = [Gap, 18, 32, 48, 66];
    private readonly List<(double X, double Y, double Width)> _placed = [];

    /// <summary>Left upper corner of the label of a point; the place is then taken.</summary>
    public (double X, double Y, double Width) Place((double X, double Y) point, string text)
    {
        double width = text.Length * Picture.LetterWidth;
        (double X, double Y, double Width) best = (
            from distance in Distances
            from direction in Directions
            let box = Box(point, direction, distance, width)
            let cost = (1000 * Covers(box)) + (20 * Outside(box)) + (200 * Crosses(point, box)) + (IsNearerToAnother(point, box) ? 100 : 0) + distance
            orderby cost
            select box).First();
        _placed.Add(best);
        return best;
    }

    /// <summary>Where a leader from a point to its label ends; null: the label is beside it.</summary>
    public static (double X, double Y)? Leader((double X, double Y) point, (double X, double Y, double Width) label)
    {
        (double X, double Y) end = (Math.Clamp(point.X, label.X, label.X + label.Width), Math.Clamp(point.Y, label.Y, label.Y + Height));
        return Math.Abs(end.X - point.X) + Math.Abs(end.Y - point.Y) > 1.8 * Gap ? end : null;
    }

    private static (double X, double Y, double Width) Box((double X, double Y) point, (double X, double Y) direction, double distance, double width)
    {
        // Diagonal places touch with a corner, so they need less distance.
        double reach = direction.X != 0 && direction.Y != 0 && distance == Gap ? distance * 0.75 : distance;
        double x = point.X + (direction.X * reach) - (direction.X switch { > 0 => 0, < 0 => width, _ => width / 2 });
        double y = point.Y + (direction.Y * reach) - (direction.Y switch { > 0 => 0, < 0 => Height, _ => Height / 2 });
        return (x, y, width);
    }

    private int Covers((double X, double Y, double Width) box) =>
        _placed.Count(other => box.X < other.X + other.Width + 3 && other.X < box.X + box.Width + 3 && Math.Abs(box.Y - other.Y) < Height)
        + points.Count(point => point.X > box.X - PointRadius && point.X < box.X + box.Width + PointRadius
            && point.Y > box.Y - PointRadius && point.Y < box.Y + Height + PointRadius)
        + (LineCovers(box) ? 1 : 0);

    // Samples are close enough that no label slips between two of them.
    private bool LineCovers((double X, double Y, double Width) box) =>
        line.Zip(line.Skip(1)).Any(part => Enumerable.Range(0, 101).Any(step => Holds(box, Between(part.First, part.Second, step / 100.0))));

    // A leader that runs through other labels or points misleads.
    private int Crosses((double X, double Y) point, (double X, double Y, double Width) box) => Leader(point, box) is { } end
        ? Enumerable.Range(1, 20).Count(step =>
        {
            (double X, double Y) at = Between(point, end, step / 20.0);
            return _placed.Any(other => Holds(other, at))
                || points.Any(other => other != point && Math.Abs(other.X - at.X) + Math.Abs(other.Y - at.Y) < PointRadius);
        })
        : 0;

    // A label right beside another point would be read as that point's.
    private bool IsNearerToAnother((double X, double Y) point, (double X, double Y, double Width) box) =>
        points.Any(other => other != point && Distance(other, box) < Distance(point, box) + 2);

    private static double Distance((double X, double Y) point, (double X, double Y, double Width) box)
    {
        double across = point.X - Math.Clamp(point.X, box.X, box.X + box.Width);
        double up = point.Y - Math.Clamp(point.Y, box.Y, box.Y + Height);
        return Math.Sqrt((across * across) + (up * up));
    }

    private double Outside((double X, double Y, double Width) box) =>
        Math.Max(0, frame.Left - box.X) + Math.Max(0, box.X + box.Width - frame.Right)
        + Math.Max(0, frame.Top - box.Y) + Math.Max(0, box.Y + Height - frame.Bottom);

    private static bool Holds((double X, double Y, double Width) box, (double X, double Y) at) =>
        at.X >= box.X - 1 && at.X <= box.X + box.Width + 1 && at.Y >= box.Y && at.Y <= box.Y + Height;

    private static (double X, double Y) Between((double X, double Y) from, (double X, double Y) to, double share) =>
        (from.X + (share * (to.X - from.X)), from.Y + (share * (to.Y - from.Y)));
}
